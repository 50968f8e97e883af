{{- define "countersign.selector" -}}
app.kubernetes.io/name: countersign
app.kubernetes.io/component: admission
{{- end }}

{{- define "countersign.labels" -}}
{{ include "countersign.selector" . }}
app.kubernetes.io/part-of: countersign
{{- end }}

{{- define "countersign.image" -}}
{{- $tag := .Values.image.tag | default .Chart.AppVersion -}}
{{- if .Values.image.digest -}}
{{ .Values.image.repository }}@{{ .Values.image.digest }}
{{- else -}}
{{ .Values.image.repository }}:{{ $tag }}
{{- end -}}
{{- end }}

{{- /* One webhook: phase, family, root. */ -}}
{{- define "countersign.webhook" -}}
{{- $names := dict "mutating-sigstore" "policy.sigstore.dev" "mutating-kyverno" "mutate.kyverno.svc-fail" "validating-sigstore" "policy.sigstore.dev" "validating-kyverno" "validate.kyverno.svc-fail" -}}
{{- $path := eq .phase "mutating" | ternary "mutations" "validations" -}}
{{- $values := .root.Values -}}
{{- $enforce := and (eq $values.enforce "original") (eq .family "sigstore") | ternary "opt-in" $values.enforce -}}
- name: {{ get $names (printf "%s-%s" .phase .family) }}
  admissionReviewVersions: [v1]
  # No caBundle: the gate, or cert-manager, writes it. Until then every request here is refused.
  clientConfig:
    service:
      namespace: {{ .root.Release.Namespace }}
      name: countersign-webhook
      path: /{{ $path }}/{{ .family }}
      port: 443
  failurePolicy: Fail
  matchPolicy: Equivalent
  namespaceSelector:
    matchExpressions:
      # The control plane's own pods, and the gate's: with the gate down they must still start.
      - key: kubernetes.io/metadata.name
        operator: NotIn
        values: {{ concat (list "kube-system" .root.Release.Namespace) $values.excludeNamespaces | uniq | sortAlpha | toJson }}
      {{- if eq $enforce "opt-in" }}
      - key: policy.sigstore.dev/include
        operator: In
        values: ['true']
      {{- else if eq $enforce "opt-out" }}
      - key: policy.sigstore.dev/exclude
        operator: NotIn
        values: ['true']
      {{- end }}
  # Labels of an object are its author's: none of them exempts it.
  objectSelector: {}
  rules:
    - apiGroups: ['']
      apiVersions: [v1]
      operations: [CREATE, UPDATE]
      resources: [pods, pods/ephemeralcontainers, podtemplates, replicationcontrollers]
      scope: Namespaced
    - apiGroups: [apps]
      apiVersions: [v1]
      operations: [CREATE, UPDATE]
      resources: [daemonsets, deployments, replicasets, statefulsets]
      scope: Namespaced
    - apiGroups: [batch]
      apiVersions: [v1]
      operations: [CREATE, UPDATE]
      resources: [cronjobs, jobs]
      scope: Namespaced
    {{- $groups := list }}
    {{- range $values.customKinds }}
    {{- $groups = append $groups (regexReplaceAll "^[^.=]+\\.([^=]+)=.*$" . "${1}") }}
    {{- end }}
    {{- range $groups | uniq | sortAlpha }}
    - apiGroups: [{{ . }}]
      apiVersions: ['*']
      operations: [CREATE, UPDATE]
      resources: ['*']
      scope: Namespaced
    {{- end }}
  sideEffects: None
  timeoutSeconds: {{ $values.webhookTimeoutSeconds }}
  {{- if eq .phase "mutating" }}
  # A webhook after this one may add a container; its image is to be pinned, too.
  reinvocationPolicy: IfNeeded
  {{- end }}
{{- end }}

{{- /* Policies that could not be used are refused when they are applied; the gate being away keeps nobody from repairing one. */ -}}
{{- define "countersign.policy-webhook" -}}
{{- $families := .Values.policies -}}
{{- $groups := dict -}}
{{- $order := list -}}
{{- range .Files.Get "files/policies.json" | fromJsonArray }}
{{- if has .family $families }}
{{- $order = append $order .group | uniq }}
{{- $_ := set $groups .group (append (get $groups .group | default list) .resource) }}
{{- end }}
{{- end -}}
- name: policies.countersign.dev
  admissionReviewVersions: [v1]
  clientConfig:
    service:
      namespace: {{ .Release.Namespace }}
      name: countersign-webhook
      path: /validating
      port: 443
  failurePolicy: Ignore
  matchPolicy: Equivalent
  rules:
    {{- range $order }}
    - apiGroups: [{{ . }}]
      apiVersions: ['*']
      operations: [CREATE, UPDATE]
      resources: {{ get $groups . | toJson }}
      scope: '*'
    {{- end }}
  sideEffects: None
  timeoutSeconds: {{ .Values.webhookTimeoutSeconds }}
{{- end }}
