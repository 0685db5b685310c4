//! Tries what a self-built app needs. WeCom's apps have no permissions by name: what counts is the trusted address, the
//! visible range and the app's number.

use carillon_model::endpoint::WECOM_HOST;
use carillon_model::office::App;
use carillon_model::office::connection::WecomApp;
use carillon_model::outcome::{Advice, Reason};
use serde_json::json;

use super::contact::get;
use super::office::{about_app, fault, prove};
use crate::Context;
use crate::office::call::{Ask, call, items};
use crate::office::{Finding, Wrong, doctor};

/// Looks at everything.
pub(crate) async fn check(context: &Context<'_>, app: &App, wecom: &WecomApp) -> Vec<Finding> {
    if let Err(fault) = prove(context, app).await {
        let what = if fault.wrong == Wrong::Address {
            "trusted address"
        } else if fault.wrong == Wrong::AgentId {
            "app's number"
        } else {
            "credentials"
        };
        return vec![Finding::new(false, what, None, fault.advice())];
    }
    let mut findings = vec![
        Finding::new(true, "credentials", None, doctor::fine()),
        Finding::new(true, "trusted address", None, doctor::fine()),
    ];
    let about = call(context, app, &about_app(wecom)).await;
    let agent = about.err().map(fault).filter(|fault| fault.wrong == Wrong::AgentId);
    let advice = agent.as_ref().map_or_else(doctor::fine, crate::office::Fault::advice);
    findings.push(Finding::new(agent.is_none(), "app's number", None, advice));
    let seen = get(context, app, "department/list", "/cgi-bin/department/list".to_owned()).await;
    let sees = seen.is_ok_and(|answer| !items(&answer, "/department").is_empty());
    let advice = Advice {
        en: "The app sees no department. Set its visible range: admin console, Apps, the app, Visible range."
            .into(),
        zh: "应用看不到任何部门。请设置可见范围：管理后台 - 应用管理 - 应用 - 可见范围。".into(),
    };
    findings.push(Finding::new(sees, "visible range", None, if sees { doctor::fine() } else { advice }));
    findings.push(may_send(context, app, wecom).await);
    findings
}

/// Sends to a member who does not exist: what else stands in the way is what is looked for.
async fn may_send(context: &Context<'_>, app: &App, wecom: &WecomApp) -> Finding {
    let body = json!({ "touser": "carillon-probe-nobody", "agentid": wecom.agent_id, "msgtype": "text",
                       "text": { "content": "Carillon" } });
    let ask = Ask::post("/cgi-bin/message/send", WECOM_HOST, "/cgi-bin/message/send", body.to_string());
    let refused = call(context, app, &ask).await.err();
    let fault = refused.filter(|verdict| verdict.reason != Reason::Recipient).map(fault);
    let advice = fault.as_ref().map_or_else(doctor::fine, crate::office::Fault::advice);
    Finding::new(fault.is_none(), "send messages", None, advice)
}
