// What the contract says about a recorded GitHub delivery, written down a second time and apart from the
// service, so that the demo can check what it shows.

const ISSUE = { opened: "issue_created", closed: "issue_closed", reopened: "issue_reopened" };
const ISSUE_UPDATES = ["edited", "assigned", "unassigned", "labeled", "unlabeled", "milestoned", "demilestoned", "typed",
  "untyped", "locked", "unlocked", "transferred"];
const PULL_UPDATES = ["edited", "synchronize", "ready_for_review", "converted_to_draft", "labeled", "unlabeled", "assigned",
  "unassigned", "review_requested", "review_request_removed", "milestoned", "demilestoned"];

const seconds = (time) => new Date(time).toISOString().replace(/\.\d+Z$/, "Z");

function pullKind({ action, pull_request: pull }) {
  if (action === "opened") return "pr_opened";
  if (action === "reopened") return "pr_reopened";
  if (action === "closed") return pull.merged ? "pr_merged" : "pr_closed";
  return PULL_UPDATES.includes(action) ? "pr_updated" : null;
}

// The dedupe key of the signal that a delivery stands for; null when its event has no mapping.
export function dedupeKey(event, body) {
  const key = (kind, entity, version) => (kind ? `github:${kind}:${entity}:${version}` : null);
  switch (event) {
    case "issues": {
      const kind = ISSUE[body.action] ?? (ISSUE_UPDATES.includes(body.action) ? "issue_updated" : null);
      return key(kind, `${body.repository.full_name}#${body.issue.number}`, seconds(body.issue.updated_at));
    }
    case "issue_comment":
      return key(body.action === "created" && "issue_comment", body.comment.id, seconds(body.comment.updated_at));
    case "pull_request":
      return key(pullKind(body), `${body.repository.full_name}#${body.pull_request.number}`,
        seconds(body.pull_request.updated_at));
    case "pull_request_review":
      return key(body.action === "submitted" && "pr_review", body.review.id, seconds(body.review.submitted_at));
    case "push":
      return key(!body.deleted && "code_pushed", `${body.repository.id}:${body.ref}`, body.after);
    case "release":
      return body.action === "published"
        ? key("release_published", body.release.id, seconds(body.release.published_at)) : null;
    default:
      return null;
  }
}
