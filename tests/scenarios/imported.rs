//! OpenAPI documents that a person makes capabilities of.

use std::{
    fs,
    io::{Read, Write},
    net::TcpListener,
    path::Path,
    thread,
};

use serde_json::json;

use crate::support::{Ended, Setup, until};

const PETS: &str = r##"
openapi: 3.1.0
info: {title: Pet Store, version: "1"}
servers: [{url: /v1}]
security: [{token: []}]
paths:
  /pets:
    get:
      operationId: listPets
      tags: [pets]
      description: |
        Lists pets.

        Costs ${HOME} nothing.
      parameters:
        - {name: ids, in: query, explode: false, schema: {type: array, items: {type: string}}}
    post:
      operationId: addPet
      tags: [pets, writes]
      requestBody:
        required: true
        content: {application/json: {schema: {$ref: "#/components/schemas/Pet"}}}
  /pets/{id}:
    get: {operationId: "getPet", parameters: [{name: id, in: path, required: true, schema: {type: integer}}]}
    delete: {operationId: removePet, deprecated: true}
    head: {operationId: headPet}
components:
  securitySchemes: {token: {type: http, scheme: bearer}}
  schemas:
    Pet:
      type: object
      required: [name]
      properties: {name: {type: string}, parent: {$ref: "#/components/schemas/Pet"}}
"##;

/// `cap import` of the pets with these arguments more, in a home of its own.
fn import(setup: Setup, spec: &str, more: &[&str]) -> Ended {
    let arguments = ["cap", "import", spec]
        .into_iter()
        .chain(more.iter().copied());
    arguments
        .fold(setup, |setup, argument| setup.arg(argument))
        .run()
}

fn with_pets() -> Setup {
    let setup = Setup::unconfigured();
    fs::write(setup.home().join("pets.yaml"), PETS).unwrap();
    setup
}

/// The files of a folder.
fn names(folder: &Path) -> Vec<String> {
    let files = fs::read_dir(folder).unwrap();
    let mut names: Vec<String> = files
        .map(|file| file.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

pub(crate) fn one_file_for_each_operation() {
    let out = tempfile::tempdir().unwrap();
    let folder = out.path().join("caps");
    let more = [
        "--out",
        folder.to_str().unwrap(),
        "--base-url",
        "https://pets.example/v1",
    ];
    let ended = import(with_pets(), "pets.yaml", &more);
    assert_eq!(ended.code, 0, "{ended:?}");
    for line in [
        "Pet Store: 3 of 5 operations imported, 3 files in ",
        "left out, deprecated: 1\n  DELETE /pets/{id}\n",
        "left out, the method HEAD gives a tool nothing to say: 1\n",
        "the credential comes from env:PET_STORE_TOKEN\n",
    ] {
        assert!(ended.stdout.contains(line), "{line}: {}", ended.stdout);
    }
    assert_eq!(
        names(&folder),
        ["addPet.yaml", "getPet.yaml", "listPets.yaml"]
    );
    let expected = "fulcrum: \"1.0\"\nname: listPets\ndescription: |-\n  Lists pets.\n\n  Costs ${HOME} nothing.\nschema:\n  input:\n    type: object\n    properties:\n      ids:\n        type: array\n        items:\n          type: string\n    additionalProperties: false\nproviders:\n  primary:\n    service: rest\n    config:\n      base_url: \"https://pets.example\"\n      path: /v1/pets\n      method: GET\n      params:\n        ids:\n          value: \"{ids}\"\n          spread: commas\nauth:\n  required: true\n  type: bearer\n  key: \"env:PET_STORE_TOKEN\"\nmetadata:\n  tags: [pets]\n";
    assert_eq!(
        fs::read_to_string(folder.join("listPets.yaml")).unwrap(),
        expected
    );
    let validate = Setup::unconfigured().args(&["cap", "validate", folder.to_str().unwrap()]);
    let ended = validate.env("PET_STORE_TOKEN", "hunter2").run();
    assert_eq!(
        (ended.code, ended.stdout.as_str()),
        (0, "3 capabilities are valid\n"),
        "{ended:?}"
    );
}

pub(crate) fn what_was_changed_is_left_alone() {
    let out = tempfile::tempdir().unwrap();
    let folder = out.path().to_str().unwrap();
    let more = [
        "--out",
        folder,
        "--base-url",
        "https://pets.example",
        "--include",
        "tag:writes",
        "--key",
        "env:MINE",
    ];
    assert_eq!(import(with_pets(), "pets.yaml", &more).code, 0);
    assert_eq!(names(out.path()), ["addPet.yaml"]);
    let file = out.path().join("addPet.yaml");
    let written = fs::read_to_string(&file).unwrap();
    assert!(written.contains("key: \"env:MINE\""), "{written}");
    assert_eq!(
        import(with_pets(), "pets.yaml", &more).code,
        0,
        "the same again"
    );
    fs::write(&file, "mine").unwrap();
    let refused = import(with_pets(), "pets.yaml", &more);
    assert_eq!(refused.code, 1, "{refused:?}");
    assert!(
        refused.stderr.contains("addPet.yaml holds something else"),
        "{refused:?}"
    );
    assert_eq!(fs::read_to_string(&file).unwrap(), "mine");
    let forced = [&more[..], &["--force"]].concat();
    assert_eq!(import(with_pets(), "pets.yaml", &forced).code, 0);
    assert_eq!(fs::read_to_string(&file).unwrap(), written);
}

pub(crate) fn from_a_url() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!(
        "http://{}/docs/openapi.yaml",
        listener.local_addr().unwrap()
    );
    let server = thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut request = [0; 4096];
        let read = stream.read(&mut request).unwrap();
        assert!(request[..read].starts_with(b"GET /docs/openapi.yaml HTTP/1.1\r\n"));
        let head = format!(
            "HTTP/1.1 200 OK\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
            PETS.len()
        );
        stream.write_all(head.as_bytes()).unwrap();
        stream.write_all(PETS.as_bytes()).unwrap();
    });
    let out = tempfile::tempdir().unwrap();
    let ended = import(
        Setup::unconfigured(),
        &url,
        &["--out", out.path().to_str().unwrap()],
    );
    server.join().unwrap();
    assert_eq!(ended.code, 0, "{ended:?}");
    let written = fs::read_to_string(out.path().join("getPet.yaml")).unwrap();
    let host = url.trim_end_matches("/docs/openapi.yaml");
    assert!(
        written.contains(&format!(
            "base_url: \"{host}\"\n      path: \"/v1/pets/{{id}}\"\n"
        )),
        "{written}"
    );
}

pub(crate) fn what_is_none_is_refused() {
    let refused = |name: &str, text: &str, more: &[&str]| {
        let setup = Setup::unconfigured();
        fs::write(setup.home().join(name), text).unwrap();
        let ended = import(setup, name, more);
        assert_eq!(ended.stdout, "", "{name}");
        (ended.code, ended.stderr)
    };
    let (code, said) = refused("a.json", r#"{"swagger": "2.0"}"#, &[]);
    assert!(
        code == 1 && said.contains("a.json is Swagger 2.0"),
        "{code} {said}"
    );
    let (code, said) = refused("b.yaml", "a: [", &[]);
    assert!(
        code == 1 && said.contains("b.yaml is neither JSON nor YAML"),
        "{code} {said}"
    );
    let (code, said) = refused("c.yaml", PETS, &[]);
    assert!(
        code == 1 && said.contains("name its URL as base_url") && said.contains("0 of 5"),
        "{code} {said}"
    );
    let (code, said) = refused("d.yaml", PETS, &["--include", "tags:pets"]);
    assert!(code == 2 && said.contains("tag:NAME"), "{code} {said}");
    let (code, said) = refused("e.yaml", PETS, &["--key", "hunter2"]);
    assert!(code == 2 && said.contains("env:NAME"), "{code} {said}");
    let ended = import(Setup::unconfigured(), "none.yaml", &[]);
    assert!(
        ended.code == 1 && ended.stderr.contains("none.yaml cannot be read"),
        "{ended:?}"
    );
}

pub(crate) fn served_without_files() {
    let api = crate::capability_serving::api();
    let pets = json!({"spec": "pets.yaml", "base_url": format!("{api}/v2"), "auth": {"key": "env:PETS"}, "exclude": ["tag:writes"]});
    let none = json!({"spec": "none.yaml"});
    let capabilities = json!({"openapi": [none, pets], "allow_private_networks": ["127.0.0.0/8"]});
    let setup = Setup::config(json!({"capabilities": capabilities})).env("PETS", "hunter2");
    fs::write(setup.home().join("pets.yaml"), PETS).unwrap();
    let gateway = setup.start();
    gateway.logged(&[
        "warning: ",
        "none.yaml cannot be read",
        "none of its operations is served",
    ]);
    let row = || gateway.ask("gateway_list_servers", json!({})).result()["servers"][0].clone();
    let left_out = row()["left_out"].to_string();
    assert!(
        left_out.contains("none.yaml") && left_out.contains("HEAD /pets/{id}"),
        "{left_out}"
    );
    let names = || {
        let tools = gateway
            .session("/mcp/capabilities")
            .ask("tools/list", json!({}))
            .result();
        let tools = tools["tools"].as_array().unwrap().clone();
        tools
            .iter()
            .map(|tool| tool["name"].as_str().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(names(), ["listPets", "getPet"]);
    let called = gateway.invoke("capabilities", "getPet", json!({"id": 7}));
    assert_eq!(called.said(), r#"{"path":"/v2/pets/7"}"#);
    let called = gateway.invoke("capabilities", "listPets", json!({"ids": ["a", "b"]}));
    assert_eq!(called.said(), r#"{"path":"/v2/pets?ids=a,b"}"#);
    let wrong = gateway.invoke("capabilities", "getPet", json!({"id": "seven"}));
    assert!(wrong.said().contains("`id`"), "{}", wrong.said());
    gateway.write(
        "pets.yaml",
        &PETS.replace("operationId: \"getPet\"", "operationId: onePet"),
    );
    until("the changed document is served", || {
        (names() == ["listPets", "onePet"]).then_some(())
    });
}
