-- How Argo CD judges a JobStatus of Steadfast: docs/kubernetes.md. In the ConfigMap argocd-cm the text stands under
-- resource.customizations.health.steadfast.dev_JobStatus. `examples/deploy/argocd/check` holds it to its table.
local status = obj.status
if status == nil or status.state == nil then
  return { status = "Progressing", message = "Steadfast has not said anything of it yet" }
end
local message = status.state .. ": " .. (status.message or "")
if status.confidence == "stale" or status.state == "UNKNOWN" then
  return { status = "Unknown", message = "nobody knows it now, last seen as " .. message }
end
for _, condition in ipairs(status.conditions or {}) do
  if condition.type == "Alerting" and condition.status == "True" then
    return { status = "Degraded", message = condition.reason .. ": " .. condition.message }
  end
end
local verdicts = {
  RUNNING = "Healthy",
  SAVEPOINTING = "Healthy",
  FINISHED = "Healthy",
  CANCELED = "Suspended",
  SUSPENDED = "Suspended",
  FAILED = "Degraded",
  LOST = "Degraded",
  TERMINATED = "Degraded",
}
return { status = verdicts[status.state] or "Progressing", message = message }
