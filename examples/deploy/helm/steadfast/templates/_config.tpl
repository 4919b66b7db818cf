{{/*
What follows from config.toml. The text is the operator's own, and nothing of it is said a second time in values: port, token,
rights and restarts are read from it here. What the engine would refuse at its start, or what could not work in a pod, is refused
while the chart is rendered. All else is the engine's to check.
*/}}

{{/* The configuration as an object, in JSON. */}}
{{- define "steadfast.config" -}}
{{- $config := fromToml .Values.config }}
{{- /* A parser's error is the only text that stands under this key: the engine knows no such table. */}}
{{- if kindIs "string" $config.Error }}
{{- fail (printf "config is not TOML: %s" $config.Error) }}
{{- end }}
{{- toJson $config }}
{{- end }}

{{/* The port of server.listen. */}}
{{- define "steadfast.port" -}}
{{- $config := include "steadfast.config" . | fromJson }}
{{- $listen := dig "server" "listen" "127.0.0.1:8080" $config }}
{{- if regexMatch "^(127\\.|\\[::1\\])" $listen }}
{{- fail (printf "config: server.listen is %q, which only the pod itself reaches; write \"0.0.0.0:8080\", or \"[::]:8080\"" $listen) }}
{{- end }}
{{- $port := regexFind "[0-9]+$" $listen | int }}
{{- if eq $port 0 }}
{{- fail (printf "config: server.listen is %q and names no port of its own; write \"0.0.0.0:8080\"" $listen) }}
{{- end }}
{{- $port }}
{{- end }}

{{/* Where below /etc/steadfast the token lies; empty where config asks for none. */}}
{{- define "steadfast.tokenPath" -}}
{{- $config := include "steadfast.config" . | fromJson }}
{{- $path := dig "server" "token_file" "" $config }}
{{- if and (not $path) (not (dig "server" "insecure" false $config)) }}
{{- fail "config: anybody who reaches the pod could call; set server.token_file, such as \"token\", or server.insecure = true where a NetworkPolicy keeps others out" }}
{{- end }}
{{- $below := trimPrefix "/etc/steadfast/" $path }}
{{- if hasPrefix "/" $below }}
{{- fail (printf "config: server.token_file is %q; write a path below /etc/steadfast, such as \"token\"" $path) }}
{{- end }}
{{- $below }}
{{- end }}

{{/* Refuses what cannot work in this pod. */}}
{{- define "steadfast.refuse" -}}
{{- $config := include "steadfast.config" . | fromJson }}
{{- $url := dig "store" "url" "sqlite://steadfast.db" $config }}
{{- if not (hasPrefix "sqlite:///var/lib/steadfast/" $url) }}
{{- fail (printf "config: store.url is %q, and nothing but /var/lib/steadfast can be written to; write \"sqlite:///var/lib/steadfast/steadfast.db\"" $url) }}
{{- end }}
{{- $there := list "config.toml" (include "steadfast.tokenPath" .) }}
{{- range .Values.files }}
{{- $there = append $there .path }}
{{- end }}
{{- if ne (len $there) (len (uniq $there)) }}
{{- fail "files: two have the same path; config.toml and server.token_file have theirs" }}
{{- end }}
{{- range $cluster := $config.kubernetes }}
{{- $kubeconfig := trimPrefix "/etc/steadfast/" (default "" $cluster.kubeconfig) }}
{{- if and $kubeconfig (not (hasPrefix "/" $kubeconfig)) (not (has $kubeconfig $there)) }}
{{- fail (printf "config: [[kubernetes]] %q reads kubeconfig %q, and no entry of files has that path" $cluster.name $kubeconfig) }}
{{- end }}
{{- end }}
{{- end }}

{{/*
What is asked of the cluster that the pod runs in, by namespace, in JSON; "*" is all of them. Under each: `watch`, whether Deployments and
pods are listed and looked up; `operator`, whether the Flink Kubernetes Operator's resources are; `proxy`, whether Flinks are reached
through the API server. Empty if every [[kubernetes]] has a kubeconfig.
*/}}
{{- define "steadfast.asked" -}}
{{- $config := include "steadfast.config" . | fromJson }}
{{- $clusters := default list $config.kubernetes }}
{{- $asked := dict }}
{{- range $cluster := $clusters }}
{{- if not $cluster.kubeconfig }}
{{- $operator := has "flinkdeployment" (hasKey $cluster "discover" | ternary $cluster.discover (list "flinkdeployment")) }}
{{- $proxy := eq (default "auto" $cluster.flink_rest) "proxy" }}
{{- range $namespace := default (list "*") $cluster.namespaces }}
{{- $before := default dict (get $asked $namespace) }}
{{- $now := dict "watch" true "operator" (or $operator (default false $before.operator)) "proxy" (or $proxy (default false $before.proxy)) }}
{{- $asked = set $asked $namespace $now }}
{{- end }}
{{- range $job := $config.job }}
{{- if and (eq (default $cluster.name $job.kubernetes) $cluster.name) (eq (default "" $job.flink_rest) "proxy") }}
{{- $namespace := default "default" $job.namespace }}
{{- $before := default dict (get $asked $namespace) }}
{{- $asked = set $asked $namespace (merge (dict "proxy" true) $before) }}
{{- end }}
{{- end }}
{{- end }}
{{- end }}
{{- toJson $asked }}
{{- end }}

{{/*
Of what changes only with a restart. The engine takes up changed policies and registries itself, so these do not count, and neither
does a comment.
*/}}
{{- define "steadfast.restartChecksum" -}}
{{- omit (include "steadfast.config" . | fromJson) "policy" "registry" | toJson | sha256sum }}
{{- end }}
