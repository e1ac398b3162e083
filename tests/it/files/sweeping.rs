//! What is taken away, and when.

use chrono::TimeDelta;
use futures_util::TryStreamExt;
use shuoshi::jobs::sweeps::{self, Sweep};

use super::{a_photo, bring, expect_nothing_left, fetch, jpeg, objects};

both_engines! {
    async fn what_hangs_on_nothing_goes_after_two_days(app: TestApp) {
        let me = app.villager("甲").await;
        let photo = a_photo(&me).await;
        app.advance(TimeDelta::hours(47));
        app.drain_jobs().await;
        let me = app.villager("甲").await;
        assert_eq!(fetch(&me, &photo).await.status, 200);
        app.advance(TimeDelta::hours(2));
        app.drain_jobs().await;
        fetch(&app.villager("甲").await, &photo).await.problem("not_found");
        // A backup that has copied the rows a moment before still finds the bytes.
        assert_eq!(objects(&app).await.len(), 2);
        app.advance(TimeDelta::hours(23));
        app.drain_jobs().await;
        assert_eq!(objects(&app).await.len(), 2);
        app.advance(TimeDelta::hours(2));
        app.drain_jobs().await;
        expect_nothing_left(&app).await;
    }

    async fn an_upload_that_was_given_up_goes_after_a_day(app: TestApp) {
        let me = app.villager("甲").await;
        let call = bring(&me, "a.jpg", &jpeg(64, 48)[..1000]).header("X-Upload-Id", "given-up-1");
        call.header("Content-Range", "bytes 0-999/2000").send().await.expect(202);
        assert_eq!(objects(&app).await.len(), 1);
        app.advance(TimeDelta::hours(25));
        app.drain_jobs().await;
        expect_nothing_left(&app).await;
    }

    async fn the_store_of_another_database_is_left_alone(app: TestApp) {
        let store = &app.app().files.store;
        let sweep = async || sweeps::run(app.app(), Sweep::SweepOrphans).await.unwrap();
        // The first one gives both their id.
        sweep().await;
        let ours = store.get("store/id").await.unwrap().unwrap();
        a_photo(&app.villager("甲").await).await;
        let orphan = "file/01890a5d-ac96-774b-bcce-b302099a8057";
        store.put(orphan, b"of somebody".to_vec()).await.unwrap();
        let written: Vec<_> = store.list(None).try_collect().await.unwrap();
        let last = written.iter().map(|found| found.written_at).max().unwrap();
        app.advance(last - app.now() + TimeDelta::days(2));
        let there = async || store.get(orphan).await.unwrap().is_some();
        store.put("store/id", uuid::Uuid::new_v4().to_string().into_bytes()).await.unwrap();
        sweep().await;
        assert!(there().await, "another store");
        store.remove("store/id").await.unwrap();
        sweep().await;
        assert!(there().await, "a store that does not say which it is");
        store.put("store/id", ours).await.unwrap();
        // Too many that nobody knows.
        let many: Vec<String> = (0..21).map(|_| format!("file/{}", uuid::Uuid::now_v7())).collect();
        for name in &many {
            store.put(name, b"of somebody".to_vec()).await.unwrap();
        }
        sweep().await;
        assert!(there().await, "a database that is not what it was");
        for name in &many {
            store.remove(name).await.unwrap();
        }
        sweep().await;
        assert!(!there().await);
        app.drain_jobs().await;
    }

    async fn bytes_that_no_row_names_go(app: TestApp) {
        let me = app.villager("甲").await;
        let photo = a_photo(&me).await;
        let store = &app.app().files.store;
        for name in [
            "file/01890a5d-ac96-774b-bcce-b302099a8057",
            "file/01890a5d-ac96-774b-bcce-b302099a8057.small",
            "upload/01890a5d-ac96-774b-bcce-b302099a8057/01890a5d-ac96-774b-bcce-b302099a8058",
            "others/are-left-alone",
        ] {
            store.put(name, b"left by a crash".to_vec()).await.unwrap();
        }
        // What was written a moment ago may be on its way to its row.
        sweeps::run(app.app(), Sweep::SweepOrphans).await.unwrap();
        assert_eq!(objects(&app).await.len(), 6);
        // The store goes by its own clock: ours is put well after it.
        let written: Vec<_> = store.list(None).try_collect().await.unwrap();
        let last = written.iter().map(|found| found.written_at).max().unwrap();
        app.advance(last - app.now() + TimeDelta::days(2));
        sweeps::run(app.app(), Sweep::SweepOrphans).await.unwrap();
        let left = objects(&app).await;
        assert_eq!(left, [format!("file/{photo}"), format!("file/{photo}.small"), "others/are-left-alone".to_owned()]);
        app.drain_jobs().await;
    }
}
