//! How much anybody may bring.

use reqwest::Method;

use super::{UPLOADS, bring, expect_nothing_left, form, form_type, jpeg, send, sent, wav};

/// A form that never ends, in chunks without a length.
fn endless() -> reqwest::Body {
    let start = form("photo.jpg", &jpeg(64, 48));
    let start = start[..start.len() - 40].to_vec();
    let chunks = futures_util::stream::unfold(0_u32, move |sent| {
        let start = start.clone();
        async move {
            let chunk = if sent == 0 { start } else { vec![b'x'; 1024 * 1024] };
            (sent < 200).then_some((Ok::<_, std::io::Error>(chunk), sent + 1))
        }
    });
    reqwest::Body::wrap_stream(chunks)
}

both_engines! {
    async fn too_much_is_refused_whether_or_not_it_was_announced(app: TestApp) {
        let me = app.villager("甲").await;
        let mut large = jpeg(64, 48);
        large.resize(10 * 1024 * 1024 + 1, b'x');
        send(&me, "photo.jpg", &large).await.problem("file_too_large");
        let mut voice = wav(1);
        voice.resize(10 * 1024 * 1024 + 1, 0);
        send(&me, "voice.wav", &voice).await.problem("file_too_large");
        let mut document = b"%PDF-1.4\n".to_vec();
        document.resize(20 * 1024 * 1024 + 1, b'x');
        send(&me, "a.pdf", &document).await.problem("file_too_large");
        // By its announced size and its first bytes, before the rest has come.
        let call = bring(&me, "photo.jpg", &large[..100_000]).header("X-Upload-Id", "too-large-1");
        let range = format!("bytes 0-99999/{}", large.len());
        call.header("Content-Range", &range).send().await.problem("file_too_large");
        expect_nothing_left(&app).await;
    }

    async fn what_never_ends_is_ended(app: TestApp) {
        let me = app.villager("甲").await;
        let call = me.call(Method::POST, "/api/v1/files").body(&form_type(), endless());
        // The sender may find the line closed before it hears why; what matters is that nothing is left of it.
        call.send_anyway().await;
        for _ in 0..200 {
            if app.number(UPLOADS).await == 0 {
                break;
            }
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
        expect_nothing_left(&app).await;
    }

    async fn a_silent_line_is_ended(app: TestApp) {
        let quick = app.second_server_with(|config| config.files.silent_for_s = 1).await;
        let me = app.villager("甲").await.at(&quick);
        let photo = jpeg(300, 200);
        let start = form("photo.jpg", &photo)[..2000].to_vec();
        let chunks = futures_util::stream::unfold(0, move |sent| {
            let start = start.clone();
            async move {
                if sent == 1 {
                    tokio::time::sleep(std::time::Duration::from_secs(20)).await;
                }
                Some((Ok::<_, std::io::Error>(start), sent + 1))
            }
        });
        let call = me.call(Method::POST, "/api/v1/files").body(&form_type(), reqwest::Body::wrap_stream(chunks));
        call.send().await.problem("timeout");
        expect_nothing_left(&app).await;
    }

    async fn what_is_refused_counts_too(app: TestApp) {
        let small = app.second_server_with(|config| config.files.daily_mb = 1).await;
        let me = app.villager("甲").await.at(&small);
        let mut broken = b"\x89PNG\r\n\x1a\n".to_vec();
        broken.resize(400 * 1024, 0);
        for _ in 0..2 {
            send(&me, "a.png", &broken).await.problem("file_broken");
        }
        expect_nothing_left(&app).await;
        let range = bring(&me, "a.png", &broken[..1000]).header("X-Upload-Id", "upload-05");
        range.header("Content-Range", "bytes 0-999/409600").send().await.problem("too_many_uploads");
    }

    async fn headers_and_then_silence_are_ended(app: TestApp) {
        let quick = app.second_server_with(|config| config.files.silent_for_s = 1).await;
        let me = app.villager("甲").await.at(&quick);
        let silence = futures_util::stream::pending::<Result<Vec<u8>, std::io::Error>>();
        let call = me.call(Method::POST, "/api/v1/files").body(&form_type(), reqwest::Body::wrap_stream(silence));
        let answer = tokio::time::timeout(std::time::Duration::from_secs(10), call.send()).await.unwrap();
        answer.problem("timeout");
        expect_nothing_left(&app).await;
    }

    async fn nobody_fills_the_store_alone(app: TestApp) {
        let small = app.second_server_with(|config| {
            config.files.daily_mb = 1;
            config.files.open_uploads = 2;
        }).await;
        let me = app.villager("甲").await.at(&small);
        let part = async |upload: &str| {
            let call = bring(&me, "a.jpg", &jpeg(64, 48)[..100]).header("X-Upload-Id", upload);
            call.header("Content-Range", "bytes 0-99/2000").send().await
        };
        part("upload-01").await.expect(202);
        part("upload-02").await.expect(202);
        let refused = part("upload-03").await;
        assert!(refused.header("retry-after").parse::<u32>().unwrap() > 0);
        refused.problem("too_many_uploads");
        // What nothing came of for half an hour holds nobody up.
        app.advance(chrono::TimeDelta::minutes(31));
        let me = app.villager("甲").await.at(&small);
        sent(&me, "a.jpg", &jpeg(64, 48)).await;
        // Somebody else is not held up.
        let other = app.villager("乙").await.at(&small);
        sent(&other, "a.jpg", &jpeg(64, 48)).await;
        for seconds in [60, 60] {
            sent(&other, "a.wav", &wav(seconds)).await;
        }
        let range = bring(&other, "a.wav", &wav(60)[..1000]).header("X-Upload-Id", "upload-04");
        range.header("Content-Range", "bytes 0-999/480044").send().await.problem("too_many_uploads");
        app.advance(chrono::TimeDelta::hours(25));
        let (me, other) = (app.villager("甲").await.at(&small), app.villager("乙").await.at(&small));
        sent(&other, "a.wav", &wav(60)).await;
        sent(&me, "a.jpg", &jpeg(64, 48)).await;
        app.drain_jobs().await;
    }
}
