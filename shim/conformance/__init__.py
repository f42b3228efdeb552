"""The contract as JSON vectors, and a runner that holds any server against them.

python -m shim.conformance http://127.0.0.1:8081 --app-id ID --app-key KEY
"""
