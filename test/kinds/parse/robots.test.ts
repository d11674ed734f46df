// robots.txt by RFC 9309.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { readRobots } from '../../../src/kinds/lib/parse/robots.ts'

const allows = (text: string, path: string): boolean => readRobots(text, 'Madhava')(path)

describe('robots.txt', () => {
  it('obeys the group that names us, in any case, and else the one for everybody', () => {
    const text = 'User-agent: *\nDisallow: /\n\nUSER-AGENT: madhava/2\nDisallow: /private\n'
    assert.equal(allows(text, '/x'), true)
    assert.equal(allows(text, '/private/x'), false)
    assert.equal(readRobots(text, 'Other')('/x'), false)
    assert.equal(allows('User-agent: MadhavaX\nDisallow: /', '/x'), true)
    // several groups with one name are one
    const twice =
      'User-agent: Madhava\nDisallow: /a\nUser-agent: x\nDisallow: /\nUser-agent: Madhava\nDisallow: /b'
    assert.deepEqual(
      ['/a', '/b', '/c'].map(path => allows(twice, path)),
      [false, false, true],
    )
    // several names have one group
    const shared = 'User-agent: x\nUser-agent: Madhava\nDisallow: /a'
    assert.equal(allows(shared, '/a'), false)
    // a group without a rule allows all
    assert.equal(allows('User-agent: *\nDisallow: /\nUser-agent: Madhava\nDisallow:', '/'), true)
  })

  it('lets the longest rule decide, and of two that are as long the one that allows', () => {
    const rules = (...lines: string[]): string => ['User-agent: *', ...lines].join('\n')
    for (const [text, path, expected] of [
      [rules('Disallow: /a', 'Allow: /a/b'), '/a/b/c', true],
      [rules('Allow: /a/b', 'Disallow: /a'), '/a/c', false],
      [rules('Disallow: /a', 'Allow: /a'), '/a', true],
      [rules('Disallow: /*.pdf$'), '/x/y.pdf', false],
      [rules('Disallow: /*.pdf$'), '/x/y.pdf?z', true],
      [rules('Disallow: /$'), '/', false],
      [rules('Disallow: /$'), '/a', true],
      [rules('Disallow: /a*b*c'), '/axxbyyc/z', false],
      [rules('Disallow: /a*b*c'), '/axxcyyb', true],
      [rules('Disallow: /*?secret='), '/x?secret=1', false],
      [rules('Disallow: /ü'), '/%c3%bc', false],
      [rules('Disallow: /%7ea'), '/%7Ea', false],
      [rules('disallow : /a # why'), '/a', false],
      [rules('Disallow: /robots.txt', 'Disallow: /'), '/robots.txt', true],
      ['\ufeffUser-agent: *\nDisallow: /', '/x', false],
      ['Disallow: /', '/x', true],
      ['', '/x', true],
      ['<!doctype html><p>no such file', '/x', true],
    ] as const)
      assert.equal(allows(text, path), expected, `${JSON.stringify(text)} ${path}`)
  })

  it('matches as a regular expression does', () => {
    const piece = fc.string({ unit: fc.constantFrom('a', 'b', '/', '*'), maxLength: 8 })
    const path = fc.string({ unit: fc.constantFrom('a', 'b', '/'), maxLength: 12 })
    fc.assert(
      fc.property(piece, fc.boolean(), path, (pattern, isWhole, rest) => {
        const source = pattern.replaceAll('*', '.*')
        const expected = !new RegExp(`^/${source}${isWhole ? '$' : ''}`).test(`/${rest}`)
        assert.equal(
          allows(`User-agent: *\nDisallow: /${pattern}${isWhole ? '$' : ''}`, `/${rest}`),
          expected,
        )
      }),
      { numRuns: 2_000 },
    )
  })

  it('reads a file that is made to be slow', { timeout: 300_000 }, () => {
    const agents = Array.from({ length: 20_000 }, (_, n) => `User-agent: ${n % 2 ? 'Madhava' : '*'}`).join(
      '\n',
    )
    const rules = Array.from({ length: 20_000 }, () => 'Disallow: /*a*a*a*a*b').join('\n')
    assert.equal(allows(`${agents}\n${rules}`, `/${'a'.repeat(2_000)}`), true)
    assert.equal(allows(`User-agent: *\nDisallow: /${'*a'.repeat(250_000)}`, `/${'a'.repeat(2_000)}`), true)
    assert.equal(
      allows(
        `User-agent: *
${`Disallow: x${' '.repeat(4_000)}y
`.repeat(120)}`,
        '/',
      ),
      true,
    )
  })
})
