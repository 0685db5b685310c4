//! `carillon account` and `carillon project`.

use serde_json::Value;

use crate::harness::{Said, Server, Start, TOKEN, home, program, run};

async fn told(server: &Server, token: &str, line: &str, input: &str) -> Said {
    let mut command = program(&server.home);
    command.args(line.split(' ')).env("CARILLON_SERVER", server.url()).env("CARILLON_TOKEN", token);
    run(command, Some(input)).await
}

#[track_caller]
fn good(said: &Said) -> Vec<String> {
    assert_eq!((said.code, said.err.as_str()), (0, ""), "{said:?}");
    said.out.lines().map(str::to_owned).collect()
}

#[track_caller]
fn bad(said: &Said, words: &str) {
    assert_eq!(said.code, 1, "{said:?}");
    assert!(said.err.contains(words) && said.out.is_empty(), "{said:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn accounts_keys_and_tokens() {
    let home = home();
    let server = Start::new().at(home.path()).await;
    let as_admin = async |line: &str, input: &str| told(&server, TOKEN, line, input).await;
    good(&as_admin("topic create ops", "").await);
    good(&as_admin("account add paul --role publisher --topic ops --topic web-*", "a long password\n").await);
    bad(&as_admin("account add paul --role reader", "a long password").await, "(account_exists)");
    bad(
        &as_admin("account add rita --role king", "a long password").await,
        "administrator, publisher or reader",
    );
    bad(&as_admin("account add rita --role reader", "").await, "password on standard input");
    bad(&as_admin("account add rita --role reader", "short").await, "12 to 256 bytes");
    bad(&as_admin("account add rita --role reader --existing", "").await, "(account_not_found)");
    let listed = good(&as_admin("account list", "").await);
    assert_eq!(listed, ["admin  administrator  (operator)", "paul  publisher ops,web-*"]);

    let made = good(&as_admin("account token add --account paul --note ci --days 30", "").await);
    let (id, token) = (made[0].clone(), made[1].clone());
    good(&told(&server, &token, "publish ops hello", "").await);
    bad(&told(&server, &token, "topic list", "").await, "the role publisher may not");
    let tokens = good(&as_admin("account token list", "").await);
    assert!(
        tokens.iter().any(|line| line.starts_with(&id) && line.ends_with("ci") && line.contains("until"))
    );
    assert!(!tokens.join("").contains(&token));
    good(&as_admin("account role paul --role reader", "").await);
    bad(&told(&server, &token, "publish ops hello", "").await, "the role reader may not publish");
    good(&as_admin(&format!("account token remove {id}"), "").await);
    bad(&told(&server, &token, "topic list", "").await, "(unauthenticated)");

    let key = good(&as_admin("account key add --role reader --note viewer", "").await);
    assert_eq!((key.len(), key[0].len()), (2, 20));
    assert!(good(&as_admin("account key list", "").await).iter().any(|line| line.starts_with(&key[0])));
    good(&as_admin(&format!("account key remove {}", key[0]), "").await);
    bad(&as_admin(&format!("account key remove {}", key[0]), "").await, "(key_not_found)");

    good(&as_admin("account password paul", "another long password").await);
    let own = "another long password\nsecret-for-tests";
    bad(&as_admin("account password admin", own).await, "(wrong_password)");
    bad(&as_admin("account password nobody", own).await, "no account nobody");
    good(&as_admin("account remove paul", "").await);
    bad(&as_admin("account remove admin", "").await, "(last_administrator)");
    let log = good(&as_admin("account audit --account admin", "").await);
    assert!(log[0].contains("  admin  account.delete  paul"), "{log:?}");
    assert!(log.iter().any(|line| line.contains("account.role  paul  reader")), "{log:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn projects() {
    let home = home();
    let server = Start::new().at(home.path()).await;
    let as_admin = async |line: &str| told(&server, TOKEN, line, "").await;
    let made = good(&as_admin("project create team-b --id b").await);
    assert_eq!(made[0].split_whitespace().last(), Some("b"));
    let token = made[3].split_whitespace().last().unwrap().to_owned();
    good(&told(&server, &token, "topic create ops", "").await);
    assert_eq!(good(&told(&server, &token, "topic list", "").await), ["urn:smn:local:b:ops"]);
    assert!(good(&as_admin("topic list").await).is_empty());
    let listed = good(&as_admin("project list --json").await);
    let listed: Value = serde_json::from_str(&listed[0]).unwrap();
    assert_eq!(listed["projects"].as_array().unwrap().len(), 2);
    bad(&as_admin("project delete team-b").await, "(project_in_use)");
    good(&told(&server, &token, "topic delete ops", "").await);
    good(&as_admin("project delete team-b").await);
    bad(&as_admin("project delete team-b").await, "no project team-b");
}
