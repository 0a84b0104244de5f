//! Which properties of a tool's schema are annotated with `x-mcp-header`, and whether they may be
//! (MCP 2026-07-28, basic/transports/streamable-http, schema extension).

use serde_json::value::RawValue;

use super::header_params::HeaderParam;
use crate::protocol::{RawObject, Text};

const ANNOTATION: &str = "x-mcp-header";
/// How deep schemas are looked into, and how many annotations one tool may have.
const DEEPEST: usize = 32;
const MOST: usize = 64;

/// The types of an annotated property.
const TYPES: [&str; 3] = ["string", "integer", "boolean"];
/// Keywords that hold a schema, or some in an array (JSON Schema 2020-12, core, chapters 10 and 11).
const HOLDERS: [&str; 16] = [
    "items",
    "prefixItems",
    "additionalItems",
    "unevaluatedItems",
    "contains",
    "additionalProperties",
    "unevaluatedProperties",
    "propertyNames",
    "contentSchema",
    "oneOf",
    "anyOf",
    "allOf",
    "not",
    "if",
    "then",
    "else",
];
/// Keywords that hold schemas by names, besides `properties`.
const NAMED: [&str; 5] = [
    "$defs",
    "definitions",
    "patternProperties",
    "dependentSchemas",
    "dependencies",
];

/// The annotated properties of a tool's definition; or why the tool must be left out.
pub(super) fn annotated(definition: &RawValue) -> Result<Box<[HeaderParam]>, Box<str>> {
    let mut walk = Walk::default();
    if is_mentioned(definition)
        && let Some(tool) = RawObject::parse(definition.get().as_bytes())
        && let Some(schema) = tool.member("inputSchema")
    {
        walk.schema(schema, true)?;
    }
    Ok(walk.found.into())
}

fn is_mentioned(text: &RawValue) -> bool {
    memchr::memmem::find(text.get().as_bytes(), ANNOTATION.as_bytes()).is_some()
}

#[derive(Default)]
struct Walk {
    /// The names of the properties that lead to where it is.
    path: Vec<Box<str>>,
    depth: usize,
    found: Vec<HeaderParam>,
}

impl Walk {
    /// Looks into a schema, to which nothing but `properties` leads if it is `plain`.
    fn schema(&mut self, schema: &RawValue, plain: bool) -> Result<(), Box<str>> {
        if !is_mentioned(schema) || self.depth == DEEPEST {
            return Ok(());
        }
        let Some(schema) = RawObject::parse(schema.get().as_bytes()) else {
            return Ok(());
        };
        if let Some(annotation) = schema.member(ANNOTATION) {
            self.annotation(&schema, annotation, plain)?;
        }
        self.depth += 1;
        for (keyword, value) in &schema.0 {
            match &**keyword {
                "properties" => self.named(value, plain)?,
                keyword if NAMED.contains(&keyword) => self.named(value, false)?,
                keyword if HOLDERS.contains(&keyword) => self.held(value)?,
                _ => {}
            }
        }
        self.depth -= 1;
        Ok(())
    }

    fn named(&mut self, schemas: &RawValue, plain: bool) -> Result<(), Box<str>> {
        let schemas = RawObject::parse(schemas.get().as_bytes()).unwrap_or_default();
        for (name, schema) in &schemas.0 {
            self.path.push(name.as_ref().into());
            self.schema(schema, plain)?;
            self.path.pop();
        }
        Ok(())
    }

    fn held(&mut self, held: &RawValue) -> Result<(), Box<str>> {
        match serde_json::from_str::<Vec<&RawValue>>(held.get()) {
            Ok(schemas) => schemas.iter().try_for_each(|it| self.schema(it, false)),
            Err(_) => self.schema(held, false),
        }
    }

    fn annotation(
        &mut self,
        property: &RawObject<'_>,
        annotation: &RawValue,
        plain: bool,
    ) -> Result<(), Box<str>> {
        if !plain || self.path.is_empty() {
            return Err(self.fault("stands where `properties` alone does not lead"));
        }
        let Ok(Text(name)) = serde_json::from_str(annotation.get()) else {
            return Err(self.fault("is no text"));
        };
        if http::HeaderName::from_bytes(name.as_bytes()).is_err() {
            return Err(self.fault("is no name of a header"));
        }
        let kind = property.read("type").map(|Text(kind)| kind);
        if !kind.is_some_and(|kind| TYPES.contains(&&*kind)) {
            return Err(self.fault("is of no string, integer or boolean"));
        }
        let param = HeaderParam::new(&name, &self.path);
        if self.found.iter().any(|it| it.shares_its_header(&param)) {
            return Err(self.fault("names a header that another one names"));
        }
        if self.found.len() == MOST {
            return Err(self.fault("is one of too many"));
        }
        self.found.push(param);
        Ok(())
    }

    fn fault(&self, what: &str) -> Box<str> {
        format!("the {ANNOTATION} at {:?} {what}", self.path.join(".")).into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fault(properties: &str) -> Option<String> {
        let tool = format!(r#"{{"name":"t","inputSchema":{{"type":"object",{properties}}}}}"#);
        let tool: &RawValue = serde_json::from_str(&tool).unwrap();
        annotated(tool).err().map(Into::into)
    }

    #[test]
    fn each_thing_that_an_annotation_may_not_be_is_named() {
        let property = |annotated: &str| fault(&format!(r#""properties":{{"p":{{{annotated}}}}}"#));
        for (annotated, what) in [
            (r#""type":"string","x-mcp-header":"""#, "no name"),
            (r#""type":"string","x-mcp-header":"a b""#, "no name"),
            (r#""type":"string","x-mcp-header":"a\r\n""#, "no name"),
            (r#""type":"string","x-mcp-header":7"#, "no text"),
            (r#""type":"number","x-mcp-header":"A""#, "no string"),
            (
                r#""type":["string","null"],"x-mcp-header":"A""#,
                "no string",
            ),
            (r#""x-mcp-header":"A""#, "no string"),
            (r#""items":{"type":"string","x-mcp-header":"A"}"#, "alone"),
            (
                r#""anyOf":[{},{"type":"string","x-mcp-header":"A"}]"#,
                "alone",
            ),
            (
                r#""if":{"properties":{"a":{"type":"string","x-mcp-header":"A"}}}"#,
                "alone",
            ),
        ] {
            let said = property(annotated).unwrap_or_default();
            assert!(
                said.contains(what) && said.contains("\"p"),
                "{annotated}: {said}"
            );
        }
        let twice = r#""properties":{"p":{"type":"string","x-mcp-header":"A"},"q":{"properties":{"r":{"type":"boolean","x-mcp-header":"a"}}}}"#;
        assert!(fault(twice).unwrap().contains("\"q.r\" names a header"));
        let defined = r#""$defs":{"p":{"type":"string","x-mcp-header":"A"}}"#;
        assert!(fault(defined).unwrap().contains("alone"));
        assert!(fault(r#""x-mcp-header":"A""#).unwrap().contains("alone"));
    }

    #[test]
    fn what_is_no_annotation_is_no_fault() {
        for schema in [
            r#""properties":{"x-mcp-header":{"type":"number"}}"#,
            r#""properties":{"p":{"const":{"x-mcp-header":"a b"},"type":"string","x-mcp-header":"A"}}"#,
            r#""description":"see x-mcp-header""#,
        ] {
            assert_eq!(fault(schema), None, "{schema}");
        }
    }
}
