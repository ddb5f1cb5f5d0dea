"""The port `Schemas` on CRDs.

What the API server checks when an object is created: types and bounds, unknown fields, lists that are sets or maps, CEL rules
(those that compare with an earlier state aside).

    schemas      judges in this process
    apart        judges in a process of its own, which ends when it has answered
    definitions  which documents are CRDs, and of which Istio
    structure, rules, translate, errors, codes   one verdict

Importing the package loads neither jsonschema-rs nor CEL: together they take 20 MB.
"""
