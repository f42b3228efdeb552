package com.paic.controller.test;

import com.fasterxml.jackson.annotation.JsonProperty;

/** What the document's sample reads a failure into; it shows the use of the class, not the class. */
public class myResponseData {
    @JsonProperty("errorcode")
    private int errorCode;

    @JsonProperty("errmsg")
    private String errorMessage;

    public int getErrorCode() {
        return errorCode;
    }

    public String getErrorMessage() {
        return errorMessage;
    }
}
