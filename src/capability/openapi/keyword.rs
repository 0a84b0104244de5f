//! What stands behind a keyword of a schema, and so how it is written anew.

/// How the value of a keyword is treated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Keyword {
    /// A schema for a part of the value.
    Part,
    /// A schema for the same value.
    Same,
    /// Schemas for parts of the value.
    Parts,
    /// Schemas for the same value.
    Sames,
    /// Schemas for parts of the value, by a name.
    Named,
    /// The same, where parts that only the other side writes are left out.
    Properties,
    /// The names that must be there.
    Required,
    /// One type, or several.
    Type,
    /// All values there are.
    Enum,
    /// A limit that version 3.0 may make exclusive.
    Limit,
    /// In version 3.0 a truth value about a limit, and later a limit.
    Exclusive,
    /// One example, which is now a list of them.
    Example,
    /// What stays as it is.
    Plain,
    /// What only documents, or is about other things than arguments.
    Dropped,
}

/// The treatment of a keyword of OpenAPI's schemas and of JSON Schema 2020-12.
pub(super) fn keyword(name: &str) -> Keyword {
    match name {
        "items"
        | "additionalProperties"
        | "contains"
        | "propertyNames"
        | "unevaluatedItems"
        | "unevaluatedProperties"
        | "contentSchema" => Keyword::Part,
        "not" | "if" | "then" | "else" => Keyword::Same,
        "prefixItems" => Keyword::Parts,
        "allOf" | "anyOf" | "oneOf" => Keyword::Sames,
        "patternProperties" => Keyword::Named,
        "properties" => Keyword::Properties,
        "required" => Keyword::Required,
        "type" => Keyword::Type,
        "enum" => Keyword::Enum,
        "minimum" | "maximum" => Keyword::Limit,
        "exclusiveMinimum" | "exclusiveMaximum" => Keyword::Exclusive,
        "example" => Keyword::Example,
        "$ref" | "title" | "description" | "default" | "const" | "format" | "pattern"
        | "minLength" | "maxLength" | "multipleOf" | "minItems" | "maxItems" | "uniqueItems"
        | "minContains" | "maxContains" | "minProperties" | "maxProperties"
        | "dependentRequired" | "deprecated" | "examples" | "contentMediaType"
        | "contentEncoding" => Keyword::Plain,
        _ => Keyword::Dropped,
    }
}
