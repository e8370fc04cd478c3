//! Several documents of a job at once: a document of few blocks does not fill the way to the network.

use tokio::task::JoinSet;

use crate::daemon::job::{FailureKind, JobFailure};

/// Does all of `work`, a few at a time; what came of it, in its order. Once one has failed, the others are dropped where they
/// are.
pub(super) async fn abreast<T, F>(work: impl IntoIterator<Item = F>) -> Result<Vec<T>, JobFailure>
where
    T: Send + 'static,
    F: Future<Output = Result<T, JobFailure>> + Send + 'static,
{
    let (mut queue, mut out, mut done) = (work.into_iter().enumerate(), JoinSet::new(), Vec::new());
    loop {
        while out.len() < AT_ONCE
            && let Some((at, next)) = queue.next()
        {
            out.spawn(async move { (at, next.await) });
        }
        let Some(ended) = out.join_next().await else { break };
        let (at, came) = ended.map_err(|error| broke_off(&error))?;
        done.push((at, came?));
    }
    done.sort_unstable_by_key(|(at, _)| *at);
    Ok(done.into_iter().map(|(_, came)| came).collect())
}

/// A task that did not come to its end.
pub(super) fn broke_off(error: &tokio::task::JoinError) -> JobFailure {
    JobFailure { kind: FailureKind::Failed, sentence: format!("the work broke off: {error}") }
}

/// Documents of one job at once. Chosen: a quarter of what the node lets its clients do at once.
const AT_ONCE: usize = 4;

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_comes_of_it_is_in_order_and_the_first_failure_ends_it() {
        let slow_first = (0..20_u32).map(|number| async move {
            for _ in number..20 {
                tokio::task::yield_now().await;
            }
            Ok(number)
        });
        assert_eq!(abreast(slow_first).await, Ok((0..20).collect()));
        let failure = JobFailure { kind: FailureKind::Failed, sentence: "no".into() };
        let failing = (0..20_u32).map(|number| {
            let end = if number == 7 { Err(failure.clone()) } else { Ok(number) };
            async move { end }
        });
        assert_eq!(abreast(failing).await, Err(failure));
    }
}
