//! What the help says beside the commands and their options, for either build.

/// The place of examples and exit codes is below everything else.
#[cfg(feature = "author")]
pub(super) const AFTER_HELP: &str = "\
Examples:
  steadfast demo                           see it at work without a cluster
  steadfast config init                    write a configuration of what is found
  steadfast check --config config.toml     find mistakes before the engine does
  steadfast run --config config.toml       keep the record, serve the API and the dashboard
  steadfast status --sort severity         all jobs of a running engine, the worst first
  steadfast status --watch                 follow them
  steadfast history orders                 what was written about a job
  steadfast clusters                       which clusters can be read, and which cannot since when and why
  steadfast explain local/default/orders   what is known of a job, and which rule decided
  steadfast simulate stories/              play your own stories against your policy
  steadfast replay --policy my.wasm        what another policy would have said of what was recorded
  steadfast store check                    whether all of the record reads, and what mends what does not

Exit codes:
  0  done
  1  failed; the reason is on standard error (of `simulate`: a story failed; it is on standard output);
     there is no such job; of `status`: a cluster of the configuration was never read, so that jobs may be missing;
     of `wait`: what was waited for did not come in time;
     of `store check` and `store repair`: something is wrong with the store
  2  the command line or the configuration is wrong; nothing was changed
  3  the engine could not be reached, refused the request, or does not know; docs/reference/errors.md explains the code that it gave";

#[cfg(not(feature = "author"))]
pub(super) const AFTER_HELP: &str = "\
This build holds the daemon alone: `demo`, `simulate`, and what writes and tries policies, are in the default build.

Examples:
  steadfast config init                    write a configuration of what is found
  steadfast check --config config.toml     find mistakes before the engine does
  steadfast run --config config.toml       keep the record, serve the API and the dashboard
  steadfast status --sort severity         all jobs of a running engine, the worst first
  steadfast status --watch                 follow them
  steadfast history orders                 what was written about a job
  steadfast clusters                       which clusters can be read, and which cannot since when and why
  steadfast explain local/default/orders   what is known of a job, and which rule decided
  steadfast replay --policy my.wasm        what another policy would have said of what was recorded
  steadfast store check                    whether all of the record reads, and what mends what does not

Exit codes:
  0  done
  1  failed; the reason is on standard error; there is no such job; of `status`: a cluster of the configuration was never read, so
     that jobs may be missing; of `wait`: what was waited for did not come in time; of `store check` and `store repair`: something is wrong with the store
  2  the command line or the configuration is wrong; nothing was changed
  3  the engine could not be reached, refused the request, or does not know; docs/reference/errors.md explains the code that it gave";
