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
{{- /* A key that is misspelt would decide which rights are granted, and the pod would only say so afterwards. */}}
{{- if hasKey $config "kubernetes" }}
{{- if not (kindIs "slice" $config.kubernetes) }}
{{- fail "config: [kubernetes] is one table, and there may be several; write [[kubernetes]]" }}
{{- end }}
{{- $known := list "name" "kubeconfig" "namespaces" "discover" "flink_rest" "flink_auth" "flink_ca_file" "archive" "history_server" "job_result_store" "last_words" "job_statuses" }}
{{- range $cluster := $config.kubernetes }}
{{- range $key := keys $cluster }}
{{- if not (has $key $known) }}
{{- fail (printf "config: [[kubernetes]] %q has an unknown key `%s`; known here: %s" (default "" $cluster.name) $key (join ", " $known)) }}
{{- end }}
{{- end }}
{{- end }}
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
{{- $server := dig "server" dict $config }}
{{- $other := or $server.tokens_file $server.kubernetes_auth (dig "tls" "client_ca_file" "" $server) $server.insecure }}
{{- if and (not $path) (not $other) }}
{{- fail "config: anybody who reaches the pod could call; set server.token_file, such as \"token\", another key of docs/doors.md, or server.insecure = true where a NetworkPolicy keeps others out" }}
{{- end }}
{{- $below := trimPrefix "/etc/steadfast/" $path }}
{{- if hasPrefix "/" $below }}
{{- fail (printf "config: server.token_file is %q; write a path below /etc/steadfast, such as \"token\"" $path) }}
{{- end }}
{{- $below }}
{{- end }}

{{/* HTTPS where the listener speaks TLS, else HTTP. */}}
{{- define "steadfast.scheme" -}}
{{- $config := include "steadfast.config" . | fromJson }}
{{- ternary "HTTPS" "HTTP" (not (empty (dig "server" "tls" "" $config))) }}
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
{{- $values := .Values }}
{{- range $file := include "steadfast.named" . | fromJsonArray }}
{{- if not (has $file.path $there) }}
{{- if not $file.of }}
{{- fail (printf "config: %s reads %s %q, and no entry of files has that path; add {secret: NAME, key: KEY, path: %s} to files" $file.place $file.key $file.path $file.path) }}
{{- else if not (get $values $file.of).secretName }}
{{- fail (printf "config: %s reads %s %q, and nothing puts it there; name the Secret with the key %q in %s.secretName, or add an entry with that path to files" $file.place $file.key $file.path (base $file.path) $file.of) }}
{{- end }}
{{- end }}
{{- end }}
{{- range $of, $tables := dict "sinks" "[[sink]]" "tls" "[server.tls]" }}
{{- if and (get $values $of).secretName (not (include "steadfast.items" (list $ $of) | fromJsonArray)) }}
{{- fail (printf "%s.secretName is %q, and no %s of config names a file that files does not put there; leave it empty" $of (get $values $of).secretName $tables) }}
{{- end }}
{{- end }}
{{- include "steadfast.refuseSecrets" . }}
{{- end }}

{{/* Refuses what is secret in itself where everybody who may look at the namespace would read it. */}}
{{- define "steadfast.refuseSecrets" -}}
{{- $config := include "steadfast.config" . | fromJson }}
{{- if eq .Values.configIn "ConfigMap" }}
{{- range $sink := $config.sink }}
{{- $place := printf "config: [[sink]] %q" (default "" $sink.name) }}
{{- if has $sink.kind (list "slack" "dingtalk" "wecom" "feishu") }}
{{- fail (printf "%s has its key in its url, which a ConfigMap shows; set configIn to Secret" $place) }}
{{- end }}
{{- range $key := list "url" "proxy" }}
{{- if regexMatch "://[^/]*@" (default "" (get $sink $key)) }}
{{- fail (printf "%s has a password in %s, which a ConfigMap shows; set configIn to Secret" $place $key) }}
{{- end }}
{{- end }}
{{- range $header := keys (default dict $sink.headers) }}
{{- if eq (lower $header) "authorization" }}
{{- fail (printf "%s has %s in headers, which a ConfigMap shows; use token_file, or set configIn to Secret" $place $header) }}
{{- end }}
{{- end }}
{{- end }}
{{- $telemetry := default dict $config.telemetry }}
{{- range $key := list "endpoint" "proxy" }}
{{- if regexMatch "://[^/]*@" (default "" (get $telemetry $key)) }}
{{- fail (printf "config: [telemetry] has a password in %s, which a ConfigMap shows; set configIn to Secret" $key) }}
{{- end }}
{{- end }}
{{- range $header := keys (default dict $telemetry.headers) }}
{{- if regexMatch "(?i)auth|key|token|secret" $header }}
{{- fail (printf "config: [telemetry] has %s in headers, which a ConfigMap shows; use token_file, or set configIn to Secret" $header) }}
{{- end }}
{{- end }}
{{- end }}
{{- end }}

{{/*
Each file below /etc/steadfast that config names, in JSON: `place` and `key` say where, `path` which, and `of` which value may name its
Secret: `sinks` or `tls`, else none. server.token_file is not among them: `token` is about it.
*/}}
{{- define "steadfast.named" -}}
{{- $config := include "steadfast.config" . | fromJson }}
{{- $server := default dict $config.server }}
{{- $tables := list (list "[server]" $server (list "tokens_file") "") (list "[server.tls]" (default dict $server.tls) (list "cert_file" "key_file" "client_ca_file") "tls") }}
{{- range $kind := list "kubernetes" "job" }}
{{- range $entry := index $config $kind }}
{{- $place := printf "[[%s]] %q" $kind (default "" $entry.name) }}
{{- $tables = append $tables (list $place $entry (list "kubeconfig" "flink_ca_file") "") }}
{{- $tables = append $tables (list (printf "flink_auth of %s" $place) (default dict $entry.flink_auth) (list "password_file" "token_file") "") }}
{{- end }}
{{- end }}
{{- range $registry := $config.registry }}
{{- $tables = append $tables (list (printf "[[registry]] %q" (default "" $registry.host)) $registry (list "password_file" "ca_file") "") }}
{{- end }}
{{- range $policy := $config.policy }}
{{- $module := ternary "" "module" (regexMatch "^(builtin:|oci://)" (default "" $policy.module)) }}
{{- $tables = append $tables (list (printf "[[policy]] %q" (default "" $policy.name)) $policy (list $module "signature" "public_key") "") }}
{{- end }}
{{- range $sink := $config.sink }}
{{- $tables = append $tables (list (printf "[[sink]] %q" (default "" $sink.name)) $sink (list "token_file" "secret_file" "password_file" "ca_file") "sinks") }}
{{- end }}
{{- $tables = append $tables (list "[telemetry]" (default dict $config.telemetry) (list "token_file" "ca_file") "") }}
{{- $named := list }}
{{- range $table := $tables }}
{{- range $key := index $table 2 }}
{{- $paths := default list (get (index $table 1) $key) }}
{{- range $path := kindIs "slice" $paths | ternary $paths (list $paths) }}
{{- $path = trimPrefix "/etc/steadfast/" (clean $path) }}
{{- if not (hasPrefix "/" $path) }}
{{- $named = append $named (dict "place" (index $table 0) "key" $key "path" $path "of" (index $table 3)) }}
{{- end }}
{{- end }}
{{- end }}
{{- end }}
{{- toJson $named }}
{{- end }}

{{/* What is taken of the Secret that sinks.secretName or tls.secretName names, in JSON: each file that config names and `files` does not put there. */}}
{{- define "steadfast.items" -}}
{{- $of := index . 1 }}
{{- $items := list }}
{{- $there := list (include "steadfast.tokenPath" (index . 0)) }}
{{- range (index . 0).Values.files }}
{{- $there = append $there .path }}
{{- end }}
{{- range $file := include "steadfast.named" (index . 0) | fromJsonArray }}
{{- if and (eq $file.of $of) (not (has $file.path $there)) }}
{{- $there = append $there $file.path }}
{{- $items = append $items (dict "key" (base $file.path) "path" $file.path) }}
{{- end }}
{{- end }}
{{- toJson $items }}
{{- end }}

{{/*
What is asked of the cluster that the pod runs in, by namespace, in JSON; "*" is all of them. Under each: `watch`, whether Deployments and
pods are listed and looked up; `operator`, whether the Flink Kubernetes Operator's resources are; `proxy`, whether Flinks are reached
through the API server; `statuses`, whether JobStatuses are written, and `tells`, whether Events are. Empty if every [[kubernetes]] has a kubeconfig.
*/}}
{{- define "steadfast.asked" -}}
{{- $config := include "steadfast.config" . | fromJson }}
{{- $clusters := default list $config.kubernetes }}
{{- $asked := dict }}
{{- range $cluster := $clusters }}
{{- if not $cluster.kubeconfig }}
{{- $operator := has "flinkdeployment" (hasKey $cluster "discover" | ternary $cluster.discover (list "flinkdeployment")) }}
{{- $proxy := eq (default "auto" $cluster.flink_rest) "proxy" }}
{{- $statuses := default false $cluster.job_statuses }}
{{- $tells := false }}
{{- range $sink := $config.sink }}
{{- $tells = or $tells (and (eq (default "" $sink.kind) "kubernetes-event") (eq (default "" $sink.kubernetes) $cluster.name)) }}
{{- end }}
{{- range $namespace := default (list "*") $cluster.namespaces }}
{{- $before := default dict (get $asked $namespace) }}
{{- $now := dict "watch" true "operator" (or $operator (default false $before.operator)) "proxy" (or $proxy (default false $before.proxy)) "statuses" (or $statuses (default false $before.statuses)) "tells" (or $tells (default false $before.tells)) }}
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
