//! Whole documents, small ones: what becomes of each of their operations.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::{DocumentText, Imported, Operation, Pattern, Selection, Trouble, Wish, import};
use crate::capability::{
    Body, Definition, Piece, RestCall, Service, Spread, Template, ValueTemplate,
};

const HEAD: &str = "openapi: 3.0.3\ninfo: {title: Pets, version: '1'}\nservers: [{url: https://pets.example/v1}]\n";

fn imported(text: &str) -> Imported {
    let selection = Selection::default();
    let wish = Wish {
        base_url: None,
        document_url: None,
        selection: &selection,
    };
    import(&DocumentText::new(text.as_bytes()).unwrap(), &wish).unwrap()
}

/// The only operation of a document with these paths.
fn one(paths: &str) -> Operation {
    let mut imported = imported(&format!("{HEAD}{paths}"));
    assert_eq!(imported.skipped, []);
    assert_eq!(imported.operations.len(), 1);
    imported.operations.remove(0)
}

fn trouble(paths: &str) -> Trouble {
    let mut imported = imported(&format!("{HEAD}{paths}"));
    assert_eq!(imported.operations, []);
    imported.skipped.remove(0).trouble
}

fn call(operation: &Operation) -> &RestCall {
    match &operation.parts.primary.service {
        Service::Rest(call) => call,
        other => panic!("{other:?}"),
    }
}

fn input(operation: &Operation) -> Value {
    serde_json::from_str(operation.parts.input.raw().get()).unwrap()
}

const OWNERS: &str = r##"
paths:
  /owners/{owner}/pets/{1x}{?limit}:
    parameters:
      - {name: owner, in: path, required: true, schema: {type: string}}
      - {name: limit, in: query, schema: {type: string}}
    get:
      operationId: pets/list
      summary: Lists pets
      description: All of one owner.
      tags: [pets]
      parameters:
        - {name: limit, in: query, description: How many., schema: {type: integer, default: 30, maximum: 100, exclusiveMaximum: true}}
        - {name: ids, in: query, explode: false, schema: {type: array, items: {type: string}}}
        - {name: 'filter[a]', in: query, style: deepObject, schema: {type: object}}
        - {name: X-Trace, in: header, schema: {type: string, nullable: true, enum: [a]}}
        - {name: Accept, in: header, schema: {type: string}}
        - {name: sid, in: cookie, schema: {type: string}}
        - {name: where, in: query, content: {application/json: {schema: {type: object}}}}
"##;

#[test]
fn an_operation_is_a_call_with_its_parameters_where_they_belong() {
    let operation = one(OWNERS);
    let parts = &operation.parts;
    assert_eq!(parts.name.as_str(), "pets_list");
    assert_eq!(&*parts.description, "Lists pets\n\nAll of one owner.");
    assert_eq!(parts.metadata.tags, ["pets".into()]);
    let call = call(&operation);
    assert_eq!(call.endpoint.origin.to_string(), "https://pets.example");
    let parameter = |name: &str| Piece::Parameter(name.into());
    let expected = [
        Piece::Text("/v1/owners/".into()),
        parameter("owner"),
        Piece::Text("/pets/".into()),
        parameter("_1x"),
    ];
    assert_eq!(call.endpoint.path.pieces(), expected);
    let query: Vec<_> = call
        .query
        .iter()
        .map(|param| (&*param.name, param.value.alone().unwrap(), param.spread))
        .collect();
    let expected = [
        ("limit", "limit", Spread::Repeated),
        ("ids", "ids", Spread::Commas),
        ("filter[a]", "filter_a", Spread::Brackets),
        ("where", "where", Spread::Repeated),
    ];
    assert_eq!(query, expected);
    assert_eq!(
        call.headers[0],
        ("x-trace".parse().unwrap(), Template::parameter("X-Trace"))
    );
    assert_eq!(
        call.headers[1].1.pieces(),
        [Piece::Text("sid=".into()), parameter("sid")]
    );
    let input = input(&operation);
    let properties = &input["properties"];
    assert_eq!(
        properties["limit"],
        json!({"description": "How many. (default: 30)", "type": "integer", "exclusiveMaximum": 100})
    );
    assert_eq!(
        properties["X-Trace"],
        json!({"type": ["string", "null"], "enum": ["a", null]})
    );
    assert_eq!(
        properties["where"],
        json!({"type": "string", "contentMediaType": "application/json"})
    );
    assert_eq!(input["required"], json!(["owner", "_1x"]));
    assert_eq!(input["additionalProperties"], json!(false));
    assert!(Definition::new(operation.parts).is_ok());
}

#[test]
fn the_members_of_a_plain_body_are_arguments_and_any_other_body_is_one() {
    let body = |schema: &str, required: bool| {
        let operation = one(&format!(
            "paths: {{/pets: {{post: {{requestBody: {{required: {required}, description: A pet., content: {{application/json: {{schema: {schema}}}}}}}}}}}}}\n"
        ));
        let input = input(&operation);
        assert!(Definition::new(operation.parts.clone()).is_ok());
        match call(&operation).body.clone().unwrap() {
            Body::Json(ValueTemplate::Map(members)) => (
                members
                    .iter()
                    .map(|(key, _)| key.to_string())
                    .collect::<Vec<_>>()
                    .join(","),
                input,
            ),
            Body::Json(ValueTemplate::Text(whole)) => {
                (format!("={}", whole.alone().unwrap()), input)
            }
            other => panic!("{other:?}"),
        }
    };
    let plain = "{type: object, required: [name, id], properties: {age: {type: integer}, name: {type: string}, id: {type: string, readOnly: true}}}";
    let (members, input) = body(plain, true);
    assert_eq!(members, "name,age");
    assert_eq!(input["required"], json!(["name"]));
    let merged = "{allOf: [{properties: {a: {}}, required: [b]}, {properties: {b: {}}}]}";
    assert_eq!(body(merged, true).0, "b,a");
    let (whole, input) = body(plain, false);
    assert_eq!(whole, "=body");
    assert_eq!(
        input["properties"]["body"],
        json!({"description": "A pet.", "type": "object", "required": ["name"], "properties": {"age": {"type": "integer"}, "name": {"type": "string"}}})
    );
    assert_eq!(input.get("required"), None);
    for other in [
        "{type: array, items: {}}",
        "{oneOf: [{type: object}]}",
        "{type: object}",
        "{type: object, properties: {a: {}}, additionalProperties: true}",
        "{}",
    ] {
        assert_eq!(body(other, true).0, "=body", "{other}");
    }
}

#[test]
fn a_body_is_sent_as_the_best_of_its_media_types() {
    let body = |content: &str| {
        let operation = one(&format!(
            "paths: {{/x: {{post: {{requestBody: {{required: true, content: {{{content}}}}}}}}}}}\n"
        ));
        let call = call(&operation);
        (call.body.clone(), call.headers.clone())
    };
    let (_, headers) =
        body("text/plain: {}, application/merge-patch+json: {schema: {type: object}}");
    assert_eq!(
        headers,
        [(
            "content-type".parse().unwrap(),
            Template::text("application/merge-patch+json")
        )]
    );
    let (form, headers) = body(
        "multipart/form-data: {}, application/x-www-form-urlencoded: {schema: {properties: {a: {type: object}, b: {}}}, encoding: {a: {style: deepObject}}}",
    );
    let Some(Body::Form(fields)) = form else {
        panic!("{form:?}")
    };
    assert_eq!(
        fields
            .iter()
            .map(|field| (&*field.name, field.spread))
            .collect::<Vec<_>>(),
        [("a", Spread::Brackets), ("b", Spread::Repeated)]
    );
    assert_eq!(headers, []);
    let (text, _) = body("text/markdown: {}");
    assert!(
        matches!(text, Some(Body::Text { content_type, .. }) if content_type == "text/markdown")
    );
    let parts = "paths: {/x: {post: {requestBody: {required: true, content: {multipart/form-data: {}, image/png: {}}}}}}";
    assert_eq!(
        trouble(parts).to_string(),
        "its body can only be sent as multipart/form-data or image/png"
    );
    let optional = one("paths: {/x: {post: {requestBody: {content: {multipart/form-data: {}}}}}}");
    assert_eq!(call(&optional).body, None);
}

#[test]
fn a_schema_that_is_about_itself_stands_once_among_the_definitions() {
    let long = "x".repeat(600);
    let operation = one(&format!(
        r##"
paths:
  /nodes:
    post:
      requestBody: {{required: true, content: {{application/json: {{schema: {{properties: {{root: {{$ref: '#/components/schemas/Node'}}, small: {{$ref: '#/components/schemas/Small'}}}}}}}}}}}}
components:
  schemas:
    Node: {{type: object, description: {long}, properties: {{children: {{type: array, items: {{$ref: '#/components/schemas/Node'}}}}, a b: {{$ref: '#/components/schemas/A%20B'}}}}}}
    A B: {{description: {long}, nullable: true, allOf: [{{type: string}}]}}
    Small: {{type: integer, minimum: 1, exclusiveMinimum: false, example: 5}}
"##
    ));
    let input = input(&operation);
    assert_eq!(input["properties"]["root"], json!({"$ref": "#/$defs/Node"}));
    assert_eq!(
        input["properties"]["small"],
        json!({"type": "integer", "minimum": 1, "examples": [5]})
    );
    assert_eq!(
        input["$defs"]["Node"]["properties"]["children"]["items"],
        json!({"$ref": "#/$defs/Node"})
    );
    assert_eq!(
        input["$defs"]["Node"]["properties"]["a b"],
        json!({"$ref": "#/$defs/A_20B"})
    );
    assert_eq!(
        input["$defs"]["A_20B"],
        json!({"anyOf": [{"description": long, "allOf": [{"type": "string"}]}, {"type": "null"}]})
    );
}

#[test]
fn what_cannot_be_a_tool_is_left_out_with_its_reason() {
    let schema = |schema: &str| {
        format!(
            "paths: {{/x: {{get: {{parameters: [{{name: a, in: query, required: true, schema: {schema}}}]}}}}}}\n"
        )
    };
    let long = "x".repeat(600);
    for (paths, reason) in [
        ("paths: {/x: {head: {}}}".to_owned(), "the method HEAD gives"),
        ("paths: {/x: {get: {deprecated: true}}}".to_owned(), "deprecated"),
        ("paths: {/x: {$ref: './other.yaml'}}".to_owned(), "another document (./other.yaml)"),
        ("paths: {/x: {get: 5}}".to_owned(), "`5` is not what OpenAPI says"),
        (schema("{$ref: '#/components/schemas/None'}"), "refers to #/components/schemas/None"),
        (schema(&format!("{{$ref: '#/components/schemas/A'}}\ncomponents: {{schemas: {{A: {{description: {long}, allOf: [{{$ref: '#/components/schemas/A'}}]}}}}}}")).replace("}]}}}\ncomponents", "\ncomponents").replace("A'}\ncomponents", "A'}}]}}}\ncomponents").trim_end_matches("}]}}}\n").to_owned() + "\n", "leads back to itself"),
        (schema(&("{items: ".repeat(70) + "{}" + &"}".repeat(70))), "too deep"),
        ("paths: {/x: {get: {servers: [{url: 'https://{h}.example'}]}}}".to_owned(), "its server"),
        ("paths: {/x: {get: {parameters: [{name: 'a b', in: header, required: true}]}}}".to_owned(), "the parameter a b"),
        ("paths: {/x: {get: {security: [{a: [], b: []}]}}}".to_owned(), "2 credentials at once (a, b)"),
        ("paths: {/x#y: {get: {}}}".to_owned(), "the path /x#y"),
        (
            schema("{type: string, pattern: '('}"),
            "its `schema.input` is no JSON Schema",
        ),
    ] {
        let sentence = trouble(&paths).to_string();
        assert!(sentence.contains(reason), "{paths}: {sentence}");
    }
}

#[test]
fn no_name_in_a_document_reaches_an_environment_variable() {
    let operation = one(
        "paths: {'/{env.HOME}/{{env.HOME}}': {get: {parameters: [{name: env.HOME, in: query}, {name: X, in: header}]}}}\n",
    );
    let call = call(&operation);
    let templates = call
        .query
        .iter()
        .map(|param| &param.value)
        .chain(call.headers.iter().map(|(_, value)| value))
        .chain([&call.endpoint.path]);
    for template in templates {
        assert!(
            template
                .pieces()
                .iter()
                .all(|piece| !matches!(piece, Piece::Secret(_)))
        );
        assert!(
            template.parameters().all(|name| !name.contains('.')),
            "{template:?}"
        );
    }
}

#[test]
fn a_choice_changes_no_name_and_what_is_not_chosen_is_counted() {
    let text = format!(
        "{HEAD}paths: {{/a: {{get: {{operationId: x, tags: [one]}}, put: {{operationId: x, tags: [two]}}}}}}\n"
    );
    let all = imported(&text);
    let names: Vec<_> = all
        .operations
        .iter()
        .map(|operation| operation.parts.name.as_str())
        .collect();
    assert_eq!(names[0], "x");
    let selection = Selection::new(vec![Pattern::parse("tag:two").unwrap()], Vec::new());
    let wish = Wish {
        base_url: Some("http://127.0.0.1:8080/api"),
        document_url: None,
        selection: &selection,
    };
    let chosen = import(&DocumentText::new(text.as_bytes()).unwrap(), &wish).unwrap();
    assert_eq!(chosen.operations.len(), 1);
    assert_eq!(chosen.operations[0].parts.name.as_str(), names[1]);
    assert_eq!(chosen.skipped[0].trouble, Trouble::NotChosen);
    assert_eq!(
        call(&chosen.operations[0]).endpoint.path,
        Template::text("/api/a")
    );
}

#[test]
fn words_of_version_3_0_are_understood_in_later_ones() {
    let text = "openapi: 3.1.0\nservers: [{url: https://a.example}]\npaths: {/x: {get: {parameters: [{name: a, in: query, schema: {type: number, nullable: true, minimum: 1, exclusiveMinimum: true}}, {name: b, in: query, schema: {exclusiveMaximum: 5}}]}}}\n";
    let imported = imported(text);
    let input = input(&imported.operations[0]);
    let expected = json!({"type": ["number", "null"], "exclusiveMinimum": 1});
    assert_eq!(input["properties"]["a"], expected);
    assert_eq!(input["properties"]["b"], json!({"exclusiveMaximum": 5}));
}

/// JSON of words that documents are made of, in places where they may be wrong.
fn any_json() -> impl Strategy<Value = Value> {
    const WORDS: [&str; 24] = [
        "get",
        "post",
        "parameters",
        "name",
        "in",
        "query",
        "path",
        "schema",
        "$ref",
        "allOf",
        "anyOf",
        "type",
        "object",
        "properties",
        "items",
        "not",
        "required",
        "requestBody",
        "content",
        "application/json",
        "nullable",
        "security",
        "#/components/schemas/A",
        "#/components/schemas/B",
    ];
    let word = prop::sample::select(&WORDS[..]).prop_map(str::to_owned);
    let leaf = prop_oneof![
        word.clone().prop_map(Value::from),
        any::<bool>().prop_map(Value::from),
        any::<i8>().prop_map(Value::from),
        Just(Value::Null),
    ];
    leaf.prop_recursive(5, 40, 5, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec((word.clone(), inner), 0..5)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn no_document_makes_it_panic_or_go_on_for_ever(
        operation in any_json(), schemas in [any_json(), any_json()], version in prop::sample::select(&["3.0.0", "3.1.0"][..])
    ) {
        let [a, b] = schemas;
        let body = json!({"required": true, "content": {"application/json": {"schema": {"$ref": "#/components/schemas/A"}}}});
        let document = json!({
            "openapi": version,
            "servers": [{"url": "https://a.example"}],
            "paths": {"/{x}": {"get": operation, "post": {"requestBody": body}}, "/y": operation},
            "components": {"schemas": {"A": a, "B": b}},
        });
        let imported = imported(&document.to_string());
        for operation in imported.operations {
            prop_assert!(Definition::new(operation.parts).is_ok());
        }
    }
}
