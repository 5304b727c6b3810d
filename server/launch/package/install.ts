/**
 * Brings the package to a host. Each version has a folder named by its hash, each set of dependencies one by the hash of their lock;
 * both appear complete by a rename, so an install that broke off is simply done again.
 */
import { MAX_LOG_LINE } from '@mealtable/protocol/tunables';
import type { LaunchFault, LaunchFaultCode, LaunchReport, LaunchResult, LaunchStep } from '../launcher.ts';
import { putFile, quotePath, readValues, runScript, type Shell, type ShellOutcome } from '../shell/shell.ts';
import type { TrainerPackage } from './build-package.ts';
import { chooseNode, describeRange, listNodesScript } from './find-node.ts';

export interface InstallOptions {
  installFolder: string;
  nodePath: string | undefined;
  /** What TensorFlow is set up for. Null: what the machine has; a login host may have less than its nodes. */
  device: 'gpu' | null;
}
/** What starts the agent: absolute paths on the host. */
export interface Installation {
  /** The install folder. */
  root: string;
  node: string;
  /** The agent's program. */
  program: string;
  /** Changes with the contents. */
  version: string;
}

const UPLOAD_TIMEOUT_MS = 600_000;
/** npm and TensorFlow fetch hundreds of megabytes. */
const INSTALL_TIMEOUT_MS = 3_600_000;
/** Uploads and installs that broke off are cleared away after this. */
const STALE_MINUTES = 120;

/** What the host has, and where the package is or will be. */
export interface LookedAt {
  installation: Installation;
  isUploaded: boolean;
}

/** Connects and looks, without bringing anything. */
export async function lookAtHost(
  shell: Shell,
  built: TrainerPackage,
  options: InstallOptions,
  report: LaunchReport,
): Promise<LaunchResult<LookedAt>> {
  const root = quotePath(options.installFolder);
  const version = versionOf(built);
  const fail = failWith(report);
  report({ step: 'connect', kind: 'begun', message: `Connecting to ${shell.place}.` });
  const looked = await runScript(
    shell,
    `mkdir -p ${root}/pkg ${root}/modules && cd ${root} && echo "@root=$(pwd -P)"
find pkg modules -mindepth 1 -maxdepth 1 -name '*.part' -mmin +${STALE_MINUTES} -exec rm -rf {} + 2>/dev/null
echo "@system=$(uname -s) $(uname -m)"
[ -e pkg/${version}/.complete ] && echo "@have=1"
${listNodesScript(options.nodePath)}
true`,
  );
  if (looked.kind === 'lost')
    return fail(looked.fault.code.startsWith('host_key') ? 'host_key' : 'connect', looked.fault);
  const values = readValues(looked.lines);
  const [system = ''] = values.get('system') ?? [];
  const [folder] = values.get('root') ?? [];
  if (folder === undefined || !/^\/[A-Za-z0-9._/@+-]+$/.test(folder))
    return fail('connect', fault('install_failed', options, `cannot be used on ${shell.place}: ${tail(looked)}`));
  if (!system.startsWith('Linux ')) {
    const message = `${shell.place} runs ${system}; training hosts run Linux.`;
    return fail('connect', { code: 'install_failed', message });
  }
  report({ step: 'connect', kind: 'done', message: `${shell.place}: ${system}.` });

  report({ step: 'node_version', kind: 'begun', message: 'Looking for Node.' });
  const node = chooseNode(values.get('node') ?? [], built.node);
  if ('seen' in node) {
    const seen = node.seen.length > 0 ? `only ${node.seen.join(', ')}` : 'none';
    const message = `${shell.place} has no Node that the agent runs on (${describeRange(built.node)}); found: ${seen}. Install one there, or give its path.`;
    return fail('node_version', { code: 'no_node', message });
  }
  report({ step: 'node_version', kind: 'done', message: node.path });
  const program = `${folder}/pkg/${version}/dist/agent.js`;
  return {
    ok: true,
    installation: { root: folder, node: node.path, program, version },
    isUploaded: values.has('have'),
  };
}

/** Brings what is missing. Whatever ran before, and however far, it can be run again. */
export async function installPackage(
  shell: Shell,
  built: TrainerPackage,
  options: InstallOptions,
  report: LaunchReport,
): Promise<LaunchResult<{ installation: Installation }>> {
  const looked = await lookAtHost(shell, built, options, report);
  if (!looked.ok) return looked;
  const { root: folder, node, version } = looked.installation;
  const fail = failWith(report);
  if (looked.isUploaded) report({ step: 'upload', kind: 'skipped', message: `Version ${version} is there already.` });
  else {
    report({ step: 'upload', kind: 'begun', message: `Sending ${(built.content.length / 1e6).toFixed(1)} MB.` });
    const outcome = await upload(shell, folder, version, built);
    if (outcome.kind === 'lost') return fail('upload', outcome.fault);
    if (outcome.code !== 0)
      return fail('upload', fault('upload_failed', options, `did not take the package: ${tail(outcome)}`));
    report({ step: 'upload', kind: 'done', message: `Version ${version}.` });
  }

  const steps = [
    { step: 'install', title: 'Installing dependencies.', script: npmScript(folder, version, node, built) },
    { step: 'tensorflow', title: 'Setting TensorFlow up.', script: tensorflowScript(folder, version, node, options) },
  ] as const;
  for (const { step, title, script } of steps) {
    report({ step, kind: 'begun', message: title });
    const onLine = (line: string) => {
      if (!line.startsWith('@') && line !== '') report({ step, kind: 'output', message: line.slice(0, MAX_LOG_LINE) });
    };
    const outcome = await runScript(shell, script, { timeoutMs: INSTALL_TIMEOUT_MS, onLine });
    if (outcome.kind === 'lost') return fail(step, outcome.fault);
    if (outcome.code !== 0) {
      const message = `${title.slice(0, -1)} on ${shell.place} failed: ${tail(outcome)}`;
      return fail(step, { code: 'install_failed', message });
    }
    const [done = 'Ready.'] = readValues(outcome.lines).get('done') ?? [];
    report({ step, kind: 'done', message: done });
  }
  return { ok: true, installation: looked.installation };
}

/** Folders have the first quarter of the hash: 64 bits tell versions apart, and paths stay short. */
const versionOf = (built: TrainerPackage): string => built.sha256.slice(0, 16);

const failWith = (report: LaunchReport) => (step: LaunchStep, fault: LaunchFault) => {
  report({ step, kind: 'failed', message: fault.message });
  return { ok: false as const, fault };
};

async function upload(shell: Shell, folder: string, version: string, built: TrainerPackage): Promise<ShellOutcome> {
  const archive = `${folder}/pkg/${version}.tar.gz`;
  const sent = await putFile(shell, archive, built.content, { timeoutMs: UPLOAD_TIMEOUT_MS });
  if (sent.kind === 'lost' || sent.code !== 0) return sent;
  return runScript(
    shell,
    `set -e
cd "${folder}/pkg"
work=${version}.$$.part
mkdir "$work"
tar -xzf ${version}.tar.gz -C "$work" 2>&1
touch "$work/.complete"
# Another launch may have been faster; its folder is the same.
[ -e ${version}/.complete ] || { rm -rf ${version}; mv "$work" ${version}; }
rm -rf "$work" ${version}.tar.gz`,
  );
}

/** Dependencies are installed aside and renamed; the key names the Node, whose native parts they contain. */
function npmScript(folder: string, version: string, node: string, built: TrainerPackage): string {
  return `set -e
export PATH="$(dirname "${node}"):$PATH"
cd "${folder}"
key=${built.lockSha256.slice(0, 16)}-$(node -p 'process.versions.modules')
if [ -e "modules/$key/.complete" ]; then echo "@done=The same dependencies are there already."
else
  command -v npm >/dev/null || { echo "There is no npm beside ${node}."; exit 69; }
  work="modules/$key.$$.part"
  mkdir -p "$work/protocol" "$work/trainer"
  for file in package.json package-lock.json .npmrc protocol/package.json trainer/package.json; do cp "pkg/${version}/$file" "$work/$file"; done
  (cd "$work" && npm ci --workspace @mealtable/trainer --omit=dev --ignore-scripts --no-audit --no-fund --loglevel=error 2>&1)
  touch "$work/.complete"
  [ -e "modules/$key/.complete" ] || { rm -rf "modules/$key"; mv "$work" "modules/$key"; }
  rm -rf "$work"
fi
ln -sfn "../../modules/$key/node_modules" "pkg/${version}/node_modules"`;
}

function tensorflowScript(folder: string, version: string, node: string, { device }: InstallOptions): string {
  return `cd "${folder}/pkg/${version}" || exit
[ -e trainer/engine/setup/main.mjs ] || { echo "@done=This package has none."; exit 0; }
${device === null ? '' : `export MEALTABLE_TENSORFLOW=${device}\n`}"${node}" trainer/engine/setup/main.mjs 2>&1
code=$?
# 3: it cannot be had here, and training falls back to plain JavaScript.
[ $code = 3 ] && { echo "@done=TensorFlow cannot be had here: training falls back to plain JavaScript, correct and very slow."; exit 0; }
exit $code`;
}

const fault = (code: LaunchFaultCode, { installFolder }: InstallOptions, what: string): LaunchFault => ({
  code,
  message: `The folder ${installFolder} ${what}`,
});

const tail = (outcome: ShellOutcome): string =>
  (outcome.kind === 'done' ? outcome.lines.filter((line) => !line.startsWith('@')).slice(-5) : [])
    .join(' ')
    .slice(0, 1000) || 'it said nothing';
