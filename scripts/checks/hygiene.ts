/** Names and addresses that do not belong in the repository. Run: node scripts/checks/hygiene.ts */
import { listFiles, readFiles, report, type Problem, type SourceFile } from './workspace.ts';

const VAGUE_FOLDERS = new Set(['common', 'shared', 'utils', 'helpers']);

// Put together here so that this file does not hold what it looks for.
const HOSTS = [
  'registry npmjs org',
  'registry yarnpkg com',
  'npm pkg github com',
  'proxy golang org',
  'sum golang org',
  'deb debian org',
  'security debian org',
  'snapshot debian org',
  'archive ubuntu com',
  'pypi org',
  'crates io',
].map((words) => words.replaceAll(' ', '.'));

// A home or working folder of one machine; the home of an image's own user is no one's.
const PERSONAL_PATH =
  /(?<![\w.$}/)*-])\/(?:(?:home|Users)\/(?!node\b|nonroot\b)[\w.-]+|root\/[\w.-]+|work\/[\w.-]+)/;

export function hygieneProblems(files: readonly SourceFile[]): Problem[] {
  return files.flatMap(({ path, text }) => {
    const vague = path
      .split('/')
      .slice(0, -1)
      .find((folder) => VAGUE_FOLDERS.has(folder));
    const problems: Problem[] =
      vague === undefined
        ? []
        : [
            {
              where: path,
              what: `lies in a folder called ${vague}; a thing lives where its job is`,
            },
          ];
    text.split('\n').forEach((line, index) => {
      const where = `${path}:${index + 1}`;
      const host = HOSTS.find((one) => line.includes(one));
      if (host !== undefined) {
        problems.push({ where, what: `names the host of a package registry (${host})` });
      }
      const personal = PERSONAL_PATH.exec(line)?.[0];
      if (personal !== undefined) {
        problems.push({ where, what: `names a path of one machine (${personal})` });
      }
    });
    return problems;
  });
}

if (import.meta.main) {
  const files = readFiles(listFiles()).filter(({ text }) => !text.includes('\0'));
  report('hygiene', hygieneProblems(files), `${files.length} files`);
}
