/** Who may import whom. Run: node scripts/checks/boundaries.ts */
import { isBuiltin } from 'node:module';
import { posix } from 'node:path';
import { imports, type Import } from './tokens.ts';
import {
  isSource,
  isSpec,
  listFiles,
  readFiles,
  readPackages,
  report,
  type Package,
  type Problem,
  type SourceFile,
} from './workspace.ts';

const SCOPE = '@meridian/';
/** The only service that may import others: it hosts a region's services in one process. */
const HOST = 'services/region';
/** Any spec may import it undeclared, so that the graph of packages stays free of cycles. */
const FOR_SPECS = '@meridian/testing';
const EXACT = /^\d+\.\d+\.\d+(-[\w.-]+)?(\+[\w.-]+)?$/;

const isLib = (folder: string): boolean => folder.startsWith('libs/');
const isService = (folder: string): boolean => folder.startsWith('services/');

const packageName = (specifier: string): string =>
  specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/');

function directionProblem(from: Package, to: Package): string | undefined {
  if (isLib(from.folder) && isService(to.folder)) return `a library imports the service ${to.name}`;
  if (isService(from.folder) && isService(to.folder) && from.folder !== HOST && from !== to) {
    return `a service imports the service ${to.name}; only ${HOST} may`;
  }
  return undefined;
}

function workspaceImport(
  own: Package,
  target: Package | undefined,
  found: Import,
  spec: boolean,
): string[] {
  const name = packageName(found.specifier);
  if (target === undefined) return [`imports ${name}, which is no package of this workspace`];
  const problems: string[] = [];
  if (found.specifier !== name) {
    problems.push(`imports ${found.specifier}, past the entry of ${name}`);
  }
  const direction = directionProblem(own, target);
  if (direction !== undefined) problems.push(direction);
  if (own.folder === '.' || own === target || (spec && name === FOR_SPECS)) return problems;
  const declared = name in own.dependencies || (spec && name in own.devDependencies);
  if (!declared) problems.push(`imports ${name}, which ${own.folder}/package.json does not name`);
  if (!spec && !own.references.includes(target.folder)) {
    problems.push(`imports ${name}, which ${own.folder}/tsconfig.json does not reference`);
  }
  return problems;
}

function outsideImport(
  own: Package,
  root: Package | undefined,
  specifier: string,
  spec: boolean,
): string[] {
  if (isBuiltin(specifier)) {
    return specifier.startsWith('node:') ? [] : [`imports ${specifier} without node:`];
  }
  const name = packageName(specifier);
  const problems: string[] = [];
  if (name.startsWith('@nestjs/') && own.folder !== 'libs/nest' && !isService(own.folder)) {
    problems.push(`imports ${name}; only libs/nest and services know Nest`);
  }
  const ofRoot = root !== undefined && (name in root.devDependencies || name in root.dependencies);
  const declared =
    name in own.dependencies ||
    ((spec || own.folder === '.') && (name in own.devDependencies || ofRoot));
  if (!declared) {
    problems.push(`imports ${name}, which ${posix.join(own.folder, 'package.json')} does not name`);
  }
  return problems;
}

function fileProblems(file: SourceFile, own: Package, packages: readonly Package[]): Problem[] {
  const spec = isSpec(file.path);
  const root = packages.find(({ folder }) => folder === '.');
  return imports(file.text).flatMap((found) => {
    const { specifier, line } = found;
    const judge = (): string[] => {
      if (specifier.startsWith('.')) {
        const target = posix.join(posix.dirname(file.path), specifier);
        // The scripts folder is the root's package: it reaches libraries by their names too.
        const home = own.folder === '.' ? file.path.split('/')[0] : own.folder;
        return target.startsWith(`${home}/`) ? [] : [`imports ${specifier}, outside its package`];
      }
      if (specifier.startsWith('/')) return [`imports the absolute path ${specifier}`];
      if (!specifier.startsWith(SCOPE)) return outsideImport(own, root, specifier, spec);
      const target = packages.find(({ name }) => name === packageName(specifier));
      return workspaceImport(own, target, found, spec);
    };
    return judge().map((what) => ({ where: `${file.path}:${line}`, what }));
  });
}

function manifestProblems(own: Package, packages: readonly Package[]): Problem[] {
  const where = posix.join(own.folder, 'package.json');
  const names = new Map(packages.map((one) => [one.name, one]));
  const problems: Problem[] = Object.entries({ ...own.dependencies, ...own.devDependencies })
    .filter(([, version]) => !EXACT.test(version))
    .map(([name, version]) => ({
      where,
      what: `pins ${name} to "${version}"; write one exact version`,
    }));
  if (own.folder === 'libs/core') {
    for (const name of Object.keys(own.dependencies)) {
      problems.push({ where, what: `libs/core depends on ${name}; it depends on nothing` });
    }
  }
  for (const name of Object.keys(own.dependencies)) {
    const target = names.get(name);
    const what = target && directionProblem(own, target);
    if (what !== undefined) problems.push({ where, what });
  }
  const declared = new Set(Object.keys(own.dependencies).map((name) => names.get(name)?.folder));
  if (own.folder === '.') return problems;
  for (const folder of own.references.filter((one) => !declared.has(one))) {
    problems.push({
      where: `${own.folder}/tsconfig.json`,
      what: `references ${folder}, which is no dependency`,
    });
  }
  return problems;
}

/** The packages of one cycle in order, its first name repeated at the end. */
export function findCycle(packages: readonly Package[]): string[] | undefined {
  const byName = new Map(packages.map((one) => [one.name, one]));
  const done = new Set<string>();
  const visit = (name: string, path: readonly string[]): string[] | undefined => {
    if (path.includes(name)) return [...path.slice(path.indexOf(name)), name];
    const own = byName.get(name);
    if (own === undefined || done.has(name)) return undefined;
    for (const next of Object.keys(own.dependencies)) {
      const cycle = visit(next, [...path, name]);
      if (cycle !== undefined) return cycle;
    }
    done.add(name);
    return undefined;
  };
  for (const { name } of packages) {
    const cycle = visit(name, []);
    if (cycle !== undefined) return cycle;
  }
  return undefined;
}

export function boundaryProblems(
  packages: readonly Package[],
  files: readonly SourceFile[],
): Problem[] {
  const root = packages.find(({ folder }) => folder === '.');
  const problems = packages.flatMap((own) => manifestProblems(own, packages));
  const cycle = findCycle(packages);
  if (cycle !== undefined) {
    problems.push({ where: 'package.json', what: `a cycle: ${cycle.join(' -> ')}` });
  }
  for (const file of files) {
    const own =
      packages.find(({ folder }) => file.path.startsWith(`${folder}/`)) ??
      (file.path.startsWith('scripts/') ? root : undefined);
    if (own !== undefined) problems.push(...fileProblems(file, own, packages));
  }
  return problems;
}

if (import.meta.main) {
  const paths = listFiles();
  const files = readFiles(paths.filter((path) => isSource(path)));
  const packages = readPackages(paths);
  report(
    'boundaries',
    boundaryProblems(packages, files),
    `${packages.length} packages, ${files.length} files`,
  );
}
