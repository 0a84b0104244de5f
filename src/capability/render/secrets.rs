//! What of a request nobody may read, wherever it stands.

use crate::{
    capability::{Body, Piece, QueryParam, Service, Template, ValueTemplate},
    telemetry::Secret,
};

/// The secrets that stand in the templates of a service.
pub(in crate::capability) fn secrets(service: &Service) -> Vec<Secret> {
    let mut found = Vec::new();
    of(&service.endpoint().path, &mut found);
    for (_, value) in service.headers() {
        of(value, &mut found);
    }
    match service {
        Service::Rest(call) => {
            of_params(&call.query, &mut found);
            match &call.body {
                Some(Body::Json(value)) => of_value(value, &mut found),
                Some(Body::Form(fields)) => of_params(fields, &mut found),
                Some(Body::Text { text, .. }) => of(text, &mut found),
                None => {}
            }
        }
        Service::Graphql(call) => of_value(&call.variables, &mut found),
        Service::JsonRpc(call) => of_value(&call.params, &mut found),
    }
    found
}

fn of(template: &Template, found: &mut Vec<Secret>) {
    let secrets = template.pieces().iter().filter_map(|piece| match piece {
        Piece::Secret(secret) => Some(secret.clone()),
        Piece::Text(_) | Piece::Parameter(_) => None,
    });
    found.extend(secrets);
}

fn of_params(params: &[QueryParam], found: &mut Vec<Secret>) {
    params.iter().for_each(|param| of(&param.value, found));
}

fn of_value(value: &ValueTemplate, found: &mut Vec<Secret>) {
    match value {
        ValueTemplate::Constant(_) | ValueTemplate::Arguments => {}
        ValueTemplate::Text(template) => of(template, found),
        ValueTemplate::List(items) => items.iter().for_each(|item| of_value(item, found)),
        ValueTemplate::Map(members) => {
            members.iter().for_each(|(_, value)| of_value(value, found));
        }
    }
}
