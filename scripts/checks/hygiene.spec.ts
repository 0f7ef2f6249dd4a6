import { describe, expect, it } from '@jest/globals';
import { hygieneProblems } from './hygiene.ts';

const problems = (text: string, path = 'docs/a.md') =>
  hygieneProblems([{ path, text }]).map(({ what }) => what);
const path = (...parts: string[]) => ['', ...parts].join('/');

describe('hygiene', () => {
  it.each(['common', 'shared', 'utils', 'helpers'])('refuses a folder called %s', (folder) => {
    expect(problems('', `libs/core/src/${folder}/a.ts`)).toEqual([
      `lies in a folder called ${folder}; a thing lives where its job is`,
    ]);
  });

  it('refuses the host of a package registry', () => {
    const host = ['registry', 'npmjs', 'org'].join('.');
    expect(problems(`"resolved": "https://${host}/a.tgz"`)).toEqual([
      `names the host of a package registry (${host})`,
    ]);
  });

  it.each([
    path('home', 'ada', 'meridian'),
    path('Users', 'ada'),
    path('root', '.config'),
    path('work', 'tree'),
  ])('refuses the path %s', (personal) => {
    expect(problems(`see "${personal}"`)).toHaveLength(1);
    expect(problems(`cd ${personal}`)).toHaveLength(1);
  });

  it('allows what only looks like one', () => {
    const image = path('home', 'node', 'app');
    const text = `${image} a/work/b ./root/x https://example.org/work/x \${ROOT}/work/x helpers.ts`;
    expect(problems(text, 'src/helpers.ts')).toEqual([]);
  });
});
