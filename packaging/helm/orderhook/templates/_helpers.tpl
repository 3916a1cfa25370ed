{{- define "orderhook.name" -}}
{{- if contains .Chart.Name .Release.Name }}{{ .Release.Name | trunc 50 | trimSuffix "-" }}{{ else }}{{ printf "%s-%s" .Release.Name .Chart.Name | trunc 50 | trimSuffix "-" }}{{ end }}
{{- end }}

{{- define "orderhook.selector" -}}
app.kubernetes.io/name: {{ .Chart.Name }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "orderhook.labels" -}}
{{ include "orderhook.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ .Chart.Name }}-{{ .Chart.Version }}
{{- end }}

{{- define "orderhook.onPostgres" -}}
{{- if eq .Values.database.kind "postgres" }}yes{{ else if ne .Values.database.kind "sqlite" }}{{ fail "database.kind is sqlite or postgres" }}{{ end }}
{{- end }}

{{/* The pods of either database. */}}
{{- define "orderhook.pod" -}}
metadata:
  labels:
    {{- include "orderhook.labels" . | nindent 4 }}
  annotations:
    checksum/config: {{ toJson .Values.config | sha256sum }}
    {{- with .Values.podAnnotations }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
spec:
  automountServiceAccountToken: false
  enableServiceLinks: false
  # --grace is 30 s.
  terminationGracePeriodSeconds: 45
  securityContext:
    runAsNonRoot: true
    runAsUser: 65532
    runAsGroup: 65532
    fsGroup: 65532
    fsGroupChangePolicy: OnRootMismatch
    seccompProfile:
      type: RuntimeDefault
  {{- with .Values.imagePullSecrets }}
  imagePullSecrets:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  containers:
    - name: orderhook
      image: "{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}"
      imagePullPolicy: {{ .Values.image.pullPolicy }}
      args: [serve]
      env:
        - name: ORDERHOOK_API_KEY
          valueFrom:
            secretKeyRef: {name: {{ .Values.secretName }}, key: api-key}
        - name: ORDERHOOK_ENCRYPTION_KEY
          valueFrom:
            secretKeyRef: {name: {{ .Values.secretName }}, key: encryption-key}
        {{- if include "orderhook.onPostgres" . }}
        - name: ORDERHOOK_DATABASE
          valueFrom:
            secretKeyRef: {name: {{ .Values.secretName }}, key: database}
        {{- end }}
        - name: ORDERHOOK_LOG_FORMAT
          value: json
        - name: ORDERHOOK_ALLOW_PRIVATE_TARGETS
          value: {{ .Values.allowPrivateTargets | quote }}
        {{- with .Values.publicUrl }}
        - name: ORDERHOOK_PUBLIC_URL
          value: {{ . | quote }}
        {{- end }}
        {{- if .Values.config }}
        - name: ORDERHOOK_CONFIG
          value: /etc/orderhook/orderhook.json
        {{- end }}
        {{- with .Values.env }}
        {{- toYaml . | nindent 8 }}
        {{- end }}
      ports:
        - name: http
          containerPort: 8080
      # A first start, or one after an update, may have a large database to bring up to date.
      startupProbe:
        httpGet: {path: /healthz, port: http}
        periodSeconds: 2
        failureThreshold: 300
      livenessProbe:
        httpGet: {path: /healthz, port: http}
        periodSeconds: 10
        timeoutSeconds: 5
        failureThreshold: 6
      readinessProbe:
        httpGet: {path: /readyz, port: http}
        periodSeconds: 5
        timeoutSeconds: 6
      resources:
        {{- toYaml .Values.resources | nindent 8 }}
      securityContext:
        allowPrivilegeEscalation: false
        readOnlyRootFilesystem: true
        capabilities:
          drop: [ALL]
      volumeMounts:
        - name: data
          mountPath: /var/lib/orderhook
        {{- if .Values.config }}
        - name: config
          mountPath: /etc/orderhook
          readOnly: true
        {{- end }}
  volumes:
    {{- if include "orderhook.onPostgres" . }}
    - name: data
      emptyDir: {}
    {{- end }}
    {{- if .Values.config }}
    - name: config
      configMap:
        name: {{ include "orderhook.name" . }}
    {{- end }}
  {{- if include "orderhook.onPostgres" . }}
  topologySpreadConstraints:
    - maxSkew: 1
      topologyKey: kubernetes.io/hostname
      whenUnsatisfiable: ScheduleAnyway
      labelSelector:
        matchLabels:
          {{- include "orderhook.selector" . | nindent 10 }}
  {{- end }}
  {{- with .Values.nodeSelector }}
  nodeSelector:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with .Values.tolerations }}
  tolerations:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with .Values.affinity }}
  affinity:
    {{- toYaml . | nindent 4 }}
  {{- end }}
{{- end }}
