/**
 * The scripts that start, find and end an agent on a host. Each agent has a folder named by its token:
 * `token` (secret), `agent.log`, `started` (process id, start time and boot), `version`, `exit` and the agent's own `state`.
 */
import { createHash } from 'node:crypto';
import type { LaunchSignal, LaunchSpec, LaunchToken } from './launcher.ts';
import type { Installation } from './package/install.ts';
import { quote, quotePath } from './shell/shell.ts';

export interface AgentPlace {
  installFolder: string;
  slots: number | undefined;
  datasetsDir: string | undefined;
  weightsDir: string | undefined;
}

export const agentFolder = (installFolder: string, token: LaunchToken): string => `${installFolder}/agents/${token}`;

/** A process is known by its number, its start time and the boot: the number alone may be another program's by now. A zombie is over. */
const IDENTITY = `identity() {
  [ -r "/proc/$1/stat" ] || return 1
  set -- $(sed 's/.*) //' "/proc/$1/stat")
  [ "$1" != Z ] && [ "$1" != X ] || return 1
  echo "$(cat /proc/sys/kernel/random/boot_id):\${20}"
}
alive() {
  [ -r "$1/started" ] || return 1
  read -r pid since <"$1/started"
  [ "$(identity "$pid")" = "$since" ]
}`;

/** The agent's own flags after its program. The token is in a file. @param folder, state as words of sh */
export function agentArguments(spec: LaunchSpec, place: AgentPlace, folder: string, state: string): string[] {
  return [
    ...['--hub', quote(spec.hubUrl), '--token-file', `${folder}/token`, '--dir', state],
    ...['--name', quote(spec.name)],
    ...(place.slots === undefined ? [] : ['--slots', String(place.slots)]),
    ...(place.datasetsDir === undefined ? [] : ['--datasets-dir', quotePath(place.datasetsDir)]),
    ...(place.weightsDir === undefined ? [] : ['--weights-dir', quotePath(place.weightsDir)]),
    ...spec.labels.flatMap((label) => ['--label', quote(label)]),
    ...(spec.runId === null ? [] : ['--one-run', quote(spec.runId)]),
  ];
}

/**
 * Starts the agent detached from the connection, unless one of this version and these flags runs. Another one leaves first, on SIGHUP: its
 * trainers go on and the new agent takes them over. A small shell stays above the agent and writes down how it ended.
 */
export function startScript(spec: LaunchSpec, token: LaunchToken, place: AgentPlace, installed: Installation): string {
  const flags = agentArguments(spec, place, '"$folder"', '"$folder/state"').join(' ');
  // With other flags it is another agent, too.
  const version = `${installed.version}.${createHash('sha256').update(flags).digest('hex').slice(0, 8)}`;
  return `${IDENTITY}
umask 077
folder=${quotePath(agentFolder(place.installFolder, token))}
mkdir -p "$folder" || exit
if alive "$folder"; then
  if [ "$(cat "$folder/version")" = ${version} ]; then
    echo "@kept=1"
    echo "@started=$(cat "$folder/started")"
    exit 0
  fi
  kill -HUP "$pid"
  for try in $(seq 100); do alive "$folder" || break; sleep 0.1; done
  if alive "$folder"; then echo "The agent that was running does not leave."; exit 75; fi
fi
rm -f "$folder/exit" "$folder/started"
echo ${version} >"$folder/version"
setsid -f sh -c '
  folder=$1
  shift
  "$@" &
  pid=$!
  set -- $(sed "s/.*) //" "/proc/$pid/stat")
  echo "$pid $(cat /proc/sys/kernel/random/boot_id):\${20}" >"$folder/started.part"
  mv "$folder/started.part" "$folder/started"
  wait "$pid"
  echo $? >"$folder/exit.part"
  mv "$folder/exit.part" "$folder/exit"
' sh "$folder" ${quote(installed.node)} ${quote(installed.program)} ${flags} >>"$folder/agent.log" 2>&1 </dev/null || exit
for try in $(seq 50); do [ -e "$folder/started" ] && break; sleep 0.1; done
echo "@started=$(cat "$folder/started")"`;
}

/** Prints `@agent=token|started|1 or 0|exit code|version` for each agent that was ever started. */
export function listScript(installFolder: string): string {
  return `${IDENTITY}
echo "@node=$(uname -n)"
cd ${quotePath(installFolder)}/agents 2>/dev/null || exit 0
for folder in *; do
  [ -r "$folder/started" ] || continue
  is=0
  if alive "$folder"; then is=1
  elif [ ! -e "$folder/exit" ]; then sleep 0.3
  fi
  echo "@agent=$folder|$(cat "$folder/started")|$is|$(cat "$folder/exit" 2>/dev/null)|$(cat "$folder/version" 2>/dev/null)"
done`;
}

/** Prints `@ours=1` when the process is still the one of the handle, and what the signal led to. */
export function signalScript(installFolder: string, token: LaunchToken, handle: string, signal: LaunchSignal): string {
  return `${ownScript(installFolder, token, handle)}
kill -${signal} "$pid"`;
}

export function stopScript(installFolder: string, token: LaunchToken, handle: string, graceMs: number): string {
  return `${ownScript(installFolder, token, handle)}
kill -TERM "$pid"
left=${Math.ceil(graceMs / 200)}
while alive "$folder" && [ $left -gt 0 ]; do sleep 0.2; left=$((left - 1)); done
alive "$folder" && kill -KILL "$pid" && sleep 0.3
alive "$folder" || echo "@ended=1"`;
}

function ownScript(installFolder: string, token: LaunchToken, handle: string): string {
  return `${IDENTITY}
folder=${quotePath(agentFolder(installFolder, token))}
[ "$(cat "$folder/started" 2>/dev/null)" = ${quote(handle)} ] && echo "@ours=1" || exit 0
alive "$folder" || { echo "@ended=1"; exit 0; }`;
}

/** The agent's last lines. */
export const logTailScript = (installFolder: string, token: LaunchToken, lines: number): string =>
  `tail -n ${lines} ${quotePath(agentFolder(installFolder, token))}/agent.log`;
