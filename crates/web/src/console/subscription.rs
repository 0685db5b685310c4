//! One subscription: its note, what it wants, and deleting it.

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use carillon_model::filter::{FilterPolicies, FilterPolicy};
use carillon_model::role::Right;
use carillon_model::{Field, Invalid};
use carillon_service::Error;
use carillon_service::filter::FilterWish;
use carillon_service::subscription::NamedSubscription;

use super::form::Wrong;
use super::frame::{Frame, Place};
use super::problem::Problem;
use super::show::{filled, quoted};
use super::sure::Sure;
use super::visit::Visit;
use super::{go, page, words};
use crate::App;

#[derive(Template)]
#[template(path = "subscription.html")]
struct SubscriptionPage {
    f: Frame,
    it: NamedSubscription,
    remark: String,
    filter: String,
    wrong: Wrong,
}

async fn named(app: &App, visit: &Visit) -> Result<NamedSubscription, Error> {
    let topic = app.service.topic_urn(&visit.caller, visit.path("topic"))?;
    let urn = format!("{topic}:{}", visit.path("subscription"));
    app.service.subscription(&visit.caller, &urn).await
}

/// Filter policies as lines of `name: value, value`.
fn lines(policies: &FilterPolicies) -> String {
    let lines = policies.as_slice().iter();
    lines
        .map(|policy| format!("{}: {}", policy.name, policy.values.join(", ")))
        .collect::<Vec<_>>()
        .join("\n")
}

fn policies(text: &str) -> Result<FilterPolicies, Invalid> {
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    let wrong = || Invalid::new(Field::FilterPolicy, "write each policy as name: value, value, one a line");
    let parsed = lines.map(|line| {
        let (name, values) = line.split_once(':').ok_or_else(wrong)?;
        let values = values.split(',').map(|value| value.trim().to_owned()).collect();
        FilterPolicy::new(name.trim(), values)
    });
    FilterPolicies::new(parsed.collect::<Result<Vec<_>, _>>()?)
}

/// The page.
pub(crate) async fn show(State(app): State<App>, visit: Visit) -> Result<Response, Problem> {
    let it = named(&app, &visit).await.map_err(|error| visit.problem(error))?;
    let (remark, filter) = (it.subscription.remark.clone(), lines(&it.subscription.filter_policies));
    let f = visit.frame(Place::Topics);
    Ok(page(StatusCode::OK, &SubscriptionPage { f, it, remark, filter, wrong: Wrong::default() }))
}

/// Changes the note and what it wants.
pub(crate) async fn save(State(app): State<App>, visit: Visit) -> Result<Response, Problem> {
    visit.must(Right::Change)?;
    let it = named(&app, &visit).await.map_err(|error| visit.problem(error))?;
    let urn = it.urn.to_string();
    let (remark, filter) = (visit.form.get("remark").trim().to_owned(), visit.form.lines("filter"));
    let kept = lines(&it.subscription.filter_policies);
    if filter.trim().is_empty() && !kept.is_empty() {
        let t = &visit.t().sure;
        let mut sure = Sure {
            goes: vec![t.filter_goes.to_owned()],
            hidden: vec![("remark", remark.clone()), ("filter", String::new())],
            ..sure(&visit, &it, t.filter_title, "")
        };
        sure.about.extend(kept.lines().map(str::to_owned));
        if !sure.is_meant(&visit) {
            return Ok(sure.again(&visit, Place::Topics));
        }
    }
    let saved = async {
        let wish = match policies(&filter)? {
            policies if policies.is_empty() => FilterWish::Delete,
            policies => FilterWish::Update(policies),
        };
        app.service.remark_subscription(&visit.caller, None, &urn, remark.clone()).await?;
        let answers = app.service.change_filters(&visit.caller, vec![(urn.clone(), Ok(wish))]).await?;
        answers.into_iter().next().unwrap_or(Ok(()))
    };
    let Err(error) = saved.await else {
        let topic = quoted(it.urn.topic.topic.as_str());
        return Ok(go(&format!("/console/topics/{topic}/subscriptions/{}?done=saved", it.urn.id)));
    };
    let wrong = visit.wrong(error)?;
    let f = visit.frame(Place::Topics);
    Ok(page(StatusCode::UNPROCESSABLE_ENTITY, &SubscriptionPage { f, it, remark, filter, wrong }))
}

/// What a subscription is called: by its note, or else by its channel.
fn called(visit: &Visit, it: &NamedSubscription) -> String {
    let remark = it.subscription.remark.trim();
    if remark.is_empty() { channel_name(visit, it) } else { remark.to_owned() }
}

fn channel_name(visit: &Visit, it: &NamedSubscription) -> String {
    words::channel(it.subscription.channel, visit.look.lang).to_owned()
}

/// A question about it.
fn sure(visit: &Visit, it: &NamedSubscription, title: &str, action: &str) -> Sure {
    let topic = it.urn.topic.topic.as_str();
    let (list, called) = (format!("/console/topics/{}", quoted(topic)), called(visit, it));
    let here = format!("{list}/subscriptions/{}", it.urn.id);
    Sure {
        about: vec![format!("{} · {}", channel_name(visit, it), it.subscription.endpoint_masked)],
        crumbs: vec![
            ("/console/topics".to_owned(), visit.t().topics.title.to_owned()),
            (list, topic.to_owned()),
            (here.clone(), called.clone()),
        ],
        ..Sure::new(filled(title, called), &it.urn.id, format!("{here}{action}"))
    }
}

fn sure_delete(visit: &Visit, it: &NamedSubscription) -> Sure {
    let t = visit.t();
    Sure {
        goes: [t.subscription.delete_address, t.subscription.delete_waiting].map(str::to_owned).to_vec(),
        stays: t.topic.delete_stays,
        ..sure(visit, it, t.sure.subscription_title, "/delete")
    }
}

/// Asks before deleting.
pub(crate) async fn ask(State(app): State<App>, visit: Visit) -> Result<Response, Problem> {
    visit.must(Right::Change)?;
    let it = named(&app, &visit).await.map_err(|error| visit.problem(error))?;
    Ok(sure_delete(&visit, &it).ask(&visit, Place::Topics))
}

/// Deletes for good, if the form says which.
pub(crate) async fn delete(State(app): State<App>, visit: Visit) -> Result<Response, Problem> {
    visit.must(Right::Change)?;
    let it = named(&app, &visit).await.map_err(|error| visit.problem(error))?;
    let sure = sure_delete(&visit, &it);
    if !sure.is_meant(&visit) {
        return Ok(sure.again(&visit, Place::Topics));
    }
    let deleted = async {
        let answers = app.service.unsubscribe(&visit.caller, None, &[it.urn.to_string()]).await?;
        answers.into_iter().next().unwrap_or(Ok(()))
    };
    deleted.await.map_err(|error| visit.problem(error))?;
    Ok(go(&format!("/console/topics/{}?done=deleted", quoted(it.urn.topic.topic.as_str()))))
}

#[cfg(test)]
mod tests {
    use super::{lines, policies};

    #[test]
    fn policies_are_lines() {
        let text = "level: high, higher\nplace: north";
        assert_eq!(lines(&policies(text).unwrap()), text);
        assert!(policies("no colon").is_err());
        assert!(policies(" \n").unwrap().is_empty());
    }
}
