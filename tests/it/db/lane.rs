//! `Lane`: those who wait are done together, and nobody pays for a neighbour.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use futures_util::future::join_all;
use shuoshi::{
    db::{Lane, Tx},
    problem::{Code, Problem},
};

use super::transact::{keys, write};

both_engines! {
    async fn each_of_a_crowd_gets_its_own_answer(app: TestApp) {
        let (now, crowds) = (app.now(), Arc::new(AtomicUsize::new(0)));
        let counted = crowds.clone();
        let lane = Lane::writing(app.db(), async move |tx: &Tx, wishes: &[Arc<u32>]| {
            counted.fetch_add(1, Ordering::Relaxed);
            let mut answers = Vec::new();
            for wish in wishes.iter().map(|wish| **wish) {
                if wish % 2 == 1 {
                    answers.push(Err(Problem::new(Code::SlotFull)));
                    continue;
                }
                write(tx, &format!("{wish:03}"), now).await?;
                answers.push(Ok(wish * 10));
            }
            Ok(answers)
        });
        let answers = join_all((0..200).map(|wish| lane.submit(wish))).await;
        for (wish, answer) in (0..200).zip(answers) {
            match answer {
                Ok(said) => assert_eq!((wish % 2, said), (0, wish * 10)),
                Err(problem) => assert_eq!((wish % 2, problem.code()), (1, Code::SlotFull)),
            }
        }
        let good: Vec<String> = (0..200).step_by(2).map(|wish| format!("{wish:03}")).collect();
        assert_eq!(keys(app.db()).await, good);
        assert!(crowds.load(Ordering::Relaxed) < 50, "they were not done together");
    }

    async fn a_wish_that_breaks_its_crowd_breaks_only_itself(app: TestApp) {
        let now = app.now();
        let lane = Lane::writing(app.db(), async move |tx: &Tx, wishes: &[Arc<u32>]| {
            let mut answers = Vec::new();
            for wish in wishes.iter().map(|wish| **wish) {
                write(tx, &format!("{wish:02}"), now).await?;
                match wish {
                    13 => return Err(Problem::unexpected("a mistake")),
                    17 => panic!("a worse mistake"),
                    _ => answers.push(Ok(())),
                }
            }
            Ok(answers)
        });
        let answers = join_all((0..30).map(|wish| lane.submit(wish))).await;
        for (wish, answer) in answers.into_iter().enumerate() {
            let broken = [13, 17].contains(&wish);
            assert_eq!(answer.map_err(|problem| problem.code()), if broken { Err(Code::Unexpected) } else { Ok(()) });
        }
        assert_eq!(keys(app.db()).await.len(), 28, "what broke left nothing behind");
        lane.submit(99).await.unwrap();
    }
}
