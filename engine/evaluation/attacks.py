"""The tables of a liveness report."""

from collections.abc import Mapping
from typing import Any

from engine.evaluation.answers import Answers
from engine.evaluation.captures import LIVE
from engine.evaluation.intervals import Rate
from engine.evaluation.report import Report


def areas(report: Report, systems: Mapping[str, Answers]) -> None:
    """A row per attack species, a column per system."""
    species = sorted({one for answers in systems.values() for one in answers.attacks()})
    if species:
        rows = [[one, *(_area(a.area(one)) for a in systems.values())] for one in species]
        report.table("AUC, live against attack", ["attack", *systems], rows)


def wrong_verdicts(report: Report, systems: Mapping[str, Answers]) -> None:
    """A row per kind of captures, a column per system."""
    species = sorted({one for answers in systems.values() for one in answers.attacks()})
    rows = []
    for kind in (*species, LIVE):
        label = "live refused" if kind == LIVE else f"{kind} taken for live"
        rows.append([label, *(answers.wrong_verdicts(kind) for answers in systems.values())])
    report.text(
        "A service does not tell what it did not judge, and a peer judges all. So compare systems "
        "by their verdicts on all captures that they answered, where not assessable is not live."
    )
    report.table("Wrong verdicts on all answered captures", ["", *systems], rows)


def at_the_threshold(report: Report, name: str, answers: Answers) -> dict[str, Any]:
    """Errors, and what was not judged, of live captures and of each species."""
    attacks = answers.attacks()
    kinds = [*attacks, LIVE]
    errors = {kind: answers.error(kind) for kind in kinds}
    skipped = {kind: answers.not_assessable(kind) for kind in kinds}
    silent = {kind: answers.non_response(kind) for kind in kinds}
    averages = {kind: answers.average_error(kind) for kind in attacks}
    rows = []
    for kind in kinds:
        label, beside, average = "BPCER", "", averages.get(kind)
        if kind != LIVE:
            label, beside = f"APCER {kind}", str(answers.refused_beside(kind))
        shown = "" if average is None else f"{100 * average:.2f} %"
        rate = errors[kind]
        refused = skipped[kind] if answers.tells else "not told"
        rows.append([label, rate.trials, rate, beside, shown, refused, silent[kind]])
    header = ["", "judged", "error", "BPCER of the set", "ACER", "not assessable"]
    header.append("no face, or refused")
    where = f"the threshold {answers.threshold:.3f}"
    if answers.estimated:
        where = f"its threshold, {answers.bound} {answers.threshold:.3f} by its verdicts"
    report.table(f"{name}: at {where}", header, rows)
    apcers = {kind: errors[kind].value for kind in attacks if errors[kind].trials}
    acers = {kind: value for kind, value in averages.items() if value is not None}
    for title, values in (("APCER", apcers), ("ACER", acers)):
        if values:
            hardest, value = max(values.items(), key=lambda item: item[1])
            report.text(f"Worst {title}: {100 * value:.2f} % ({hardest}).")
    return {
        "threshold": answers.threshold,
        "threshold_estimated": answers.bound if answers.estimated else None,
        "worst_apcer": max(apcers.values(), default=None),
        "worst_acer": max(acers.values(), default=None),
        "errors": {kind: rate.plain() for kind, rate in errors.items()},
        "wrong_verdicts": {kind: answers.wrong_verdicts(kind).plain() for kind in kinds},
        "not_assessable": {
            kind: rate.plain() if answers.tells else None for kind, rate in skipped.items()
        },
        "non_response": {kind: rate.plain() for kind, rate in silent.items()},
        "auc": {kind: answers.area(kind).plain() for kind in attacks},
        "acer": averages,
    }


def robustness(
    report: Report, systems: Mapping[str, Answers], altered: Mapping[str, Mapping[str, Answers]]
) -> dict[str, Any]:
    """How much of each AUC is lost on altered pictures, found and judged anew, with the errors
    there, and what was not judged or not found."""
    figures: dict[str, Any] = {}
    for name, usual in systems.items():
        if not all(name in answers for answers in altered.values()):
            report.text(f"{name} was not asked again with altered pictures.")
            continue
        rows: list[list[object]] = []
        figures[name] = {}
        for species in usual.attacks():
            area = usual.area(species)
            rest = {how: answers[name].area(species) for how, answers in altered.items()}
            lost = {
                how: area.value - one.value if area.trials and one.trials else None
                for how, one in rest.items()
            }
            shown = ["none" if value is None else f"{value:+.3f}" for value in lost.values()]
            rows.append([species, f"{area.value:.3f}" if area.trials else "none", *shown])
            figures[name][species] = {"auc": area.plain()["value"], "lost": lost}
        for kind in (LIVE, *usual.attacks()):
            shares = [answers[name].not_assessable(kind) for answers in altered.values()]
            if any(share.value for share in shares):
                rows.append([f"{kind}, not assessable", usual.not_assessable(kind), *shares])
            silent = [answers[name].non_response(kind) for answers in altered.values()]
            if any(share.value for share in silent):
                rows.append([f"{kind}, no face", usual.non_response(kind), *silent])
        report.table(f"{name}: AUC lost on altered pictures", ["attack", "AUC", *altered], rows)
        errors = {
            kind: [each.error(kind) for each in (usual, *(a[name] for a in altered.values()))]
            for kind in (LIVE, *usual.attacks())
        }
        report.table(
            f"{name}: errors at its threshold on altered pictures",
            ["", "as they are", *altered],
            [["BPCER" if kind == LIVE else f"APCER {kind}", *e] for kind, e in errors.items()],
        )
        for title in ("error", "not_assessable", "non_response"):
            figures[name][title] = {
                kind: {how: getattr(one[name], title)(kind).plain() for how, one in altered.items()}
                for kind in (LIVE, *usual.attacks())
            }
    return figures


def _area(rate: Rate) -> str:
    if not rate.trials:
        return "none"
    return f"{rate.value:.3f} [{rate.low:.3f}, {rate.high:.3f}]"
