//! Live views: numbers for everybody, states for the desk, moved by whichever server, ended in time.

use std::time::Duration;

use chrono::TimeDelta;
use reqwest::Method;
use serde_json::{Value, json};
use shuoshi::{app, talks::Seat};
use tokio::time::timeout;

use super::{of_booking, of_day, this_afternoon, walk_in};
use crate::support::{Actor, TestApp};

/// A stream of events that is being read.
struct Events {
    answer: reqwest::Response,
    read: String,
}

impl Events {
    async fn of(actor: &Actor, path: &str) -> Self {
        let call = actor.call(Method::GET, &format!("/api/v1{path}")).header("Accept-Encoding", "br, gzip");
        let answer = call.open().await;
        assert_eq!(answer.status(), 200, "{path}");
        let header = |name: &str| answer.headers().get(name).map(|value| value.to_str().unwrap().to_owned());
        assert_eq!(header("content-type").as_deref(), Some("text/event-stream"));
        assert_eq!((header("content-encoding"), header("x-accel-buffering").as_deref()), (None, Some("no")));
        Self { answer, read: String::new() }
    }

    /// The next event and its data; `None` when the stream has ended.
    async fn next(&mut self) -> Option<(String, Value)> {
        loop {
            if let Some((event, rest)) = self.read.split_once("\n\n") {
                let (event, rest) = (event.to_owned(), rest.to_owned());
                self.read = rest;
                let line = |name: &str| event.lines().find_map(|line| line.strip_prefix(name)).map(str::to_owned);
                if let Some(data) = line("data: ") {
                    return Some((line("event: ").unwrap(), serde_json::from_str(&data).unwrap()));
                }
                continue;
            }
            let chunk = timeout(Duration::from_secs(20), self.answer.chunk()).await.expect("nothing came").ok()??;
            self.read += std::str::from_utf8(&chunk).unwrap();
        }
    }

    async fn board(&mut self) -> Value {
        let (name, data) = self.next().await.unwrap();
        assert_eq!(name, "board");
        data
    }
}

fn screen(day: &Value) -> String {
    format!("/talk-days/{}/screen", day["id"].as_str().unwrap())
}

fn id(day: &Value) -> entity::id::TalkDayId {
    entity::id::TalkDayId(day["id"].as_str().unwrap().parse().unwrap())
}

/// Waits for what becomes true within some seconds.
async fn soon(what: &str, holds: impl Fn() -> bool) {
    for _ in 0..300 {
        if holds() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("never: {what}");
}

async fn afternoon(app: &TestApp) -> (Value, Actor) {
    let day = this_afternoon(app, 6, json!({})).await;
    app.advance(TimeDelta::hours(3));
    let desk = app.staff("desk").await;
    for name in ["慕容拂晓", "欧阳霁月", "样例"] {
        desk.post(&of_day(&day, "walk-ins"), walk_in(name)).await.expect(201);
    }
    (day, desk)
}

both_engines! {
    async fn the_screen_shows_numbers_at_once_and_when_the_line_moves_on_any_server(app: TestApp) {
        let (day, desk) = afternoon(&app).await;
        let other = app.second_server().await;
        let mut events = Events::of(&app.nobody(), &screen(&day)).await;
        let first = events.board().await;
        assert_eq!(first, json!({"called": [], "next": [7, 8, 9], "waiting": 3, "at": "2026-11-23T05:00:00Z"}));
        let called = desk.clone().at(&other).post(&of_day(&day, "call-next"), json!({})).await.expect(200);
        let board = events.board().await;
        assert_eq!((&board["called"], &board["next"], &board["waiting"]), (&json!([7]), &json!([8, 9]), &json!(2)));
        desk.post(&of_booking(&called, "recall"), json!({})).await.expect(200);
        assert_eq!(events.board().await, board, "a recall shows the same once more");
        app.nobody().get(&format!("/talk-days/{}/screen", uuid::Uuid::now_v7())).await.problem("not_found");
    }

    async fn the_desk_sees_states_and_neither_names_nor_matters(app: TestApp) {
        let (day, desk) = afternoon(&app).await;
        let mut events = Events::of(&desk, &of_day(&day, "line/live")).await;
        let (name, line) = events.next().await.unwrap();
        assert_eq!((name.as_str(), line["items"].as_array().unwrap().len()), ("line", 3));
        let entry = &line["items"][0];
        assert_eq!((&entry["number_in_line"], &entry["state"], &entry["turn"]), (&json!(7), &json!("checked_in"), &json!(1)));
        assert!(!line.to_string().contains("慕") && !line.to_string().contains('路'), "{line}");
        desk.post(&of_booking(entry, "park"), json!({})).await.expect(200);
        let (_, line) = events.next().await.unwrap();
        assert_eq!((&line["items"][0]["state"], &line["items"][1]["turn"]), (&json!("parked"), &json!(1)));
        let path = of_day(&day, "line/live");
        app.staff("neighbour").await.get(&path).await.problem("not_found");
        app.villager("甲").await.get(&path).await.problem("not_your_duty");
        app.nobody().get(&path).await.problem("sign_in_required");
    }

    async fn who_is_dismissed_or_signs_out_sees_no_more(app: TestApp) {
        let (day, desk) = afternoon(&app).await;
        let cadre = app.staff("cadre2").await;
        let (mut dismissed, mut left) =
            (Events::of(&cadre, &of_day(&day, "line/live")).await, Events::of(&desk, &of_day(&day, "line/live")).await);
        dismissed.next().await.unwrap();
        left.next().await.unwrap();
        app.staff("admin").await.delete(&format!("/staff/accounts/{}", cadre.id())).await.expect(204);
        desk.post("/auth/logout", json!({})).await.expect(204);
        let (one, two) = timeout(Duration::from_secs(15), futures_util::future::join(dismissed.next(), left.next())).await.unwrap();
        assert_eq!((one, two), (None, None));
    }

    async fn one_looks_for_all_and_nobody_when_nobody_watches(app: TestApp) {
        let (day, _) = afternoon(&app).await;
        let watches = &app.app().watches;
        let mut all = Vec::new();
        for _ in 0..5 {
            let mut events = Events::of(&app.nobody(), &screen(&day)).await;
            events.board().await;
            all.push(events);
        }
        assert_eq!((watches.count(id(&day)), watches.days()), (5, 1));
        drop(all);
        soon("the watchers are gone", || watches.days() == 0).await;
    }

    async fn too_many_are_told_to_come_back_and_take_no_seat_of_staff(app: TestApp) {
        let (day, desk) = afternoon(&app).await;
        let mut all = Vec::new();
        for _ in 0..300 {
            all.push(app.app().watches.join(app.app(), id(&day), Seat::Public(None)).await.unwrap());
        }
        let answer = app.nobody().get(&screen(&day)).await;
        assert_eq!(answer.header("retry-after"), "10");
        answer.problem("busy");
        let (name, _) = Events::of(&desk, &of_day(&day, "line/live")).await.next().await.unwrap();
        assert_eq!(name, "line");
        all.pop();
        Events::of(&app.nobody(), &screen(&day)).await.board().await;
    }

    async fn one_address_has_only_so_many_seats(app: TestApp) {
        let (day, desk) = afternoon(&app).await;
        let strict = app.second_server_with(|config| config.auth.throttle.spare_loopback = false).await;
        let mut all = Vec::new();
        for _ in 0..20 {
            let mut events = Events::of(&strict.nobody(), &screen(&day)).await;
            events.board().await;
            all.push(events);
        }
        let refused = strict.nobody().get(&screen(&day)).await;
        assert_eq!(refused.header("retry-after"), "10");
        refused.problem("too_many_requests");
        Events::of(&desk.at(&strict), &of_day(&day, "line/live")).await.next().await.unwrap();
        drop(all);
        let watches = &strict.app().watches;
        soon("the seats are free again", || watches.days() == 0).await;
        Events::of(&strict.nobody(), &screen(&day)).await.board().await;
    }

    async fn the_screen_is_there_on_the_day_itself(app: TestApp) {
        let (day, _) = afternoon(&app).await;
        let tomorrow = this_afternoon(&app, 3, json!({"date": "2026-11-24"})).await;
        app.nobody().get(&screen(&tomorrow)).await.problem("day_not_running");
        // Staff may look at any day; that they do opens it to nobody else.
        let desk = app.staff("desk").await;
        let mut early = Events::of(&desk, &of_day(&tomorrow, "line/live")).await;
        early.next().await.unwrap();
        app.nobody().get(&screen(&tomorrow)).await.problem("day_not_running");
        Events::of(&app.nobody(), &screen(&day)).await.board().await;
        app.advance(TimeDelta::days(1));
        app.nobody().get(&screen(&day)).await.problem("day_not_running");
        Events::of(&app.nobody(), &screen(&tomorrow)).await.board().await;
    }

    async fn a_stream_ends_in_time_and_its_seat_is_free(app: TestApp) {
        let (day, desk) = afternoon(&app).await;
        let brief = app.second_server_with(|config| config.http.stream_for_s = 2).await;
        let mut screens = vec![
            Events::of(&brief.nobody(), &screen(&day)).await,
            Events::of(&desk.at(&brief), &of_day(&day, "line/live")).await,
        ];
        for events in &mut screens {
            events.next().await.unwrap();
            assert_eq!(timeout(Duration::from_secs(15), events.next()).await.unwrap(), None);
        }
        let watches = &brief.app().watches;
        soon("the seats are free again", || watches.days() == 0).await;
    }

    async fn many_days_are_looked_at_by_one(app: TestApp) {
        let (first, second) = (afternoon(&app).await.0, this_afternoon(&app, 3, json!({"starts": "19:00", "ends": "19:30"})).await);
        let mut one = Events::of(&app.nobody(), &screen(&first)).await;
        let mut two = Events::of(&app.nobody(), &screen(&second)).await;
        assert_eq!((&one.board().await["waiting"], &two.board().await["waiting"]), (&json!(3), &json!(0)));
        assert_eq!(app.app().watches.days(), 2);
        let desk = app.staff("desk").await;
        desk.post(&of_day(&second, "walk-ins"), walk_in("样例")).await.expect(201);
        assert_eq!(two.board().await["waiting"], 1);
        desk.post(&of_day(&first, "call-next"), json!({})).await.expect(200);
        assert_eq!(one.board().await["waiting"], 2);
    }

    async fn streams_do_not_hold_up_stopping(app: TestApp) {
        let (day, desk) = afternoon(&app).await;
        let mut screens = vec![Events::of(&app.nobody(), &screen(&day)).await, Events::of(&desk, &of_day(&day, "line/live")).await];
        for events in &mut screens {
            events.next().await.unwrap();
        }
        let stopped = timeout(Duration::from_millis(1900), app::stop(app.app(), &app.server)).await;
        assert!(stopped.is_ok(), "stopping waited for those who watch");
        for events in &mut screens {
            assert_eq!(events.next().await, None);
        }
    }
}
