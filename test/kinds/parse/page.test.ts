// What is read from a page: its text in any character set, its parts, its words; and bounded work for a page that is
// made to be slow.
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { LENGTHS, MOST, tidy } from '../../../src/kinds/lib/parse/bounds.ts'
import { buildTree } from '../../../src/kinds/lib/parse/build-tree.ts'
import { decodePage } from '../../../src/kinds/lib/parse/decode.ts'
import { extract } from '../../../src/kinds/lib/parse/extract.ts'
import { MAX_DEPTH, MAX_NODES, type Node } from '../../../src/kinds/lib/parse/tree.ts'
import { createWordCounter } from '../../../src/kinds/lib/parse/words.ts'

const LONG = { timeout: 600_000 }
const NEVER = new AbortController().signal
const URL_OF_PAGE = new URL('https://site.test/dir/page?q#part')
const read = async (text: string, limits?: { depth: number; nodes: number }) => {
  const { document, tooMuch } = await buildTree(text, { signal: NEVER, ...(limits ? { limits } : {}) })
  return { tooMuch, ...(await extract(document, URL_OF_PAGE, NEVER)) }
}

describe('the character set of a page', () => {
  const bytes = (...list: (number | string)[]): Buffer =>
    Buffer.concat(
      list.map(one => (typeof one === 'number' ? Buffer.from([one]) : Buffer.from(one, 'latin1'))),
    )
  const UTF16 = Buffer.from('\ufeff<p>ü', 'utf16le')

  it('is that of the byte order mark, then of the header, then of the page, then of the bytes', () => {
    for (const [body, label, charset, text] of [
      [bytes('\xef\xbb\xbf<p>\xc3\xbc'), 'koi8-r', 'UTF-8', '<p>ü'],
      [UTF16, 'utf-8', 'UTF-16LE', '<p>ü'],
      [bytes('<meta charset=utf-8>\xcf'), 'koi8-r', 'KOI8-R', '<meta charset=utf-8>о'],
      [bytes('<meta charset=windows-1251>\xcf'), null, 'windows-1251', '<meta charset=windows-1251>П'],
      [bytes('<meta charset=utf-16>\xc3\xbc'), null, 'UTF-8', '<meta charset=utf-16>ü'],
      [
        bytes('<meta http-equiv=content-type content="text/html; charset=shift_jis">\x82\xa0'),
        null,
        'Shift_JIS',
        null,
      ],
      [bytes('<?xml version="1.0" encoding="koi8-r"?>\xcf'), null, 'KOI8-R', null],
      [bytes('<p>\xc3\xbc'), null, 'UTF-8', '<p>ü'],
      [bytes('<p>\xfc\x80\x93'), null, 'windows-1252', '<p>ü€“'],
      [bytes('<p>\x80'), 'iso-8859-1', 'windows-1252', '<p>€'],
      [bytes('<p>\xfc'), 'no-such-set', 'windows-1252', '<p>ü'],
      [bytes('<p>\xfc'), 'x-user-defined', 'windows-1252', '<p>ü'],
      [bytes('<p>a\xff'), 'utf-8', 'UTF-8', '<p>a\ufffd'],
      // cut in the middle of a character
      [bytes('<p>ok\xc3'), null, 'UTF-8', '<p>ok\ufffd'],
      [bytes(''), null, 'UTF-8', ''],
    ] as const) {
      const found = decodePage(body, label)
      assert.equal(found.charset, charset, body.toString('latin1'))
      if (text !== null) assert.equal(found.text, text)
    }
    assert.match(
      decodePage(bytes('<meta http-equiv=content-type content="text/html; charset=shift_jis">\x82\xa0'), null)
        .text,
      /あ$/,
    )
  })

  it('is found whatever the bytes are, and the text has no half of a character', () => {
    const odd = fc.oneof(
      fc.uint8Array({ maxLength: 200 }),
      fc
        .array(
          fc.constantFrom(
            '<meta ',
            'charset',
            '=',
            'content',
            '"',
            'http-equiv=content-type ',
            '>',
            ';',
            ' ',
            "'",
            '<!--',
          ),
          { maxLength: 20 },
        )
        .map(list => new Uint8Array(Buffer.from(list.join('')))),
    )
    const label = fc.option(
      fc.oneof(
        fc.string(),
        fc.constantFrom('utf-16be', 'gb18030', 'iso-2022-jp', 'big5', 'euc-kr', 'replacement'),
      ),
    )
    fc.assert(
      fc.property(odd, label, (body, name) => {
        assert.ok(decodePage(body, name).text.isWellFormed())
      }),
      { numRuns: 2_000 },
    )
    // the package that looks for the set reads beyond the end of these
    for (const page of ['<meta http-equiv=content-type content=charset>', '<meta content="charset =">'])
      assert.equal(decodePage(Buffer.from(page), null).text, page)
  })
})

describe('a page', () => {
  it('has a title, a description, a language and a canonical address', async () => {
    const page = await read(`<!doctype html><html lang=" de-CH "><head><svg><title>of a picture</title></svg>
      <title>\n A &amp;\tB </title><title>second</title><base href=/base/><base href=/other/>
      <meta name=Description content=" what it\n is "><meta property=og:description content=og>
      <link rel="alternate CANONICAL" href=c><body>`)
    assert.equal(page.title, 'A & B')
    assert.equal(page.description, 'what it is')
    assert.equal(page.language, 'de-CH')
    assert.equal(page.canonical, 'https://site.test/base/c')
    const bare = await read('')
    assert.deepEqual(
      [bare.title, bare.description, bare.language, bare.canonical, bare.words, bare.tooMuch],
      [null, null, null, null, 0, null],
    )
    assert.equal((await read('<meta property=OG:description content=og>')).description, 'og')
    assert.equal((await read('<meta http-equiv=Content-Language content=fr>')).language, 'fr')
    assert.equal((await read('<link rel=canonical href="javascript:x">')).canonical, null)
  })

  it('has headings, links and images, with absolute addresses and the text inside', async () => {
    const page = await read(`<h1>One <b>b</b>ig<br>line</h1><h3></h3><svg><h2>out of it</h2></svg>
      <a href=x rel=" nofollow  me">te<i>xt</i></a><a name=y>none</a><area href=#top>
      <a href="mailto:a@b.test">m</a><a href=" java\nscript:alert(1)">j</a><a href="data:text/html,x">d</a>
      <a href="http://[bad">b</a><a href="//other.test">o</a><a href="${'x'.repeat(3_000)}">long</a>
      <img src=a.png alt="" width=10 height=2em><img src="data:image/png;base64,x"><img alt=none>
      <noscript><img src=lazy.png alt=" l "></noscript><template><a href=t>t</a><h2>t</h2></template>
      <a href=last>last`)
    assert.deepEqual(page.headings, [
      { level: 1, text: 'One big line' },
      { level: 3, text: '' },
      { level: 2, text: 'out of it' },
    ])
    assert.deepEqual(page.links, [
      { url: 'https://site.test/dir/x', text: 'text', rel: 'nofollow me' },
      { url: 'https://site.test/dir/page?q#top', text: '', rel: null },
      { url: 'mailto:a@b.test', text: 'm', rel: null },
      { url: 'https://other.test/', text: 'o', rel: null },
      { url: 'https://site.test/dir/last', text: 'last', rel: null },
    ])
    assert.deepEqual(page.images, [
      { url: 'https://site.test/dir/a.png', alt: '', width: 10, height: null },
      { url: 'https://site.test/dir/lazy.png', alt: 'l', width: null, height: null },
    ])
    assert.deepEqual(page.leftOut, { headings: 0, links: 4, images: 1 })
  })

  it('has a base only of the web, wherever it stands', async () => {
    const link = async (base: string) => (await read(`<a href=x>a</a><base href="${base}">`)).links[0]?.url
    assert.equal(await link('http://b.test/c/'), 'http://b.test/c/x')
    for (const base of ['javascript:x', 'data:text/html,', 'file:///', 'http://[', ''])
      assert.equal(await link(base), 'https://site.test/dir/x', base)
  })

  it('has the words that people see, in any script', async () => {
    for (const [text, words] of [
      ['<p>one two</p><p>three', 3],
      ['<p>on<b>e</b> t<!-- -->wo<br>three', 3],
      ['<div>one</div><div>two</div>', 2],
      ['<title>not</title><style>not</style><script>not</script><template>not</template>one', 1],
      ['don’t e-mail 3.14 a_b naïve', 5],
      ['привет мир', 2],
      ['مرحبا بالعالم', 2],
      ['한국어 문장', 2],
      ['... -- !', 0],
      ['', 0],
    ] as const)
      assert.equal((await read(text)).words, words, text)
    const count = createWordCounter()
    assert.ok(count('東京は日本の首都です') >= 4 && count('東京は日本の首都です') <= 8)
    assert.equal(count('ภาษาไทย'), 2)
    fc.assert(
      fc.property(fc.array(fc.constantFrom('a', 'bc', 'dé', '12'), { maxLength: 60 }), list =>
        assert.equal(count(list.join(' ')), list.length),
      ),
    )
    assert.equal(count('word '.repeat(100_000)), 100_000)
  })

  it('has bounded lists and texts, and says how much is left out', LONG, async () => {
    const long = 'ü'.repeat(5_000)
    const many = await read(`<title>${long}</title><meta name=description content=${long}>
      ${`<h2>${long}</h2>`.repeat(300)}${`<a href=x>${'y'.repeat(500)}</a>`.repeat(3_000)}${`<img src=x alt=${long}>`.repeat(1_500)}`)
    assert.deepEqual(
      [many.headings.length, many.links.length, many.images.length],
      [MOST.headings, MOST.links, MOST.images],
    )
    assert.deepEqual(many.leftOut, { headings: 100, links: 2_000, images: 1_000 })
    assert.equal(many.title?.length, LENGTHS.title)
    assert.ok(JSON.stringify(many).length < 2_000_000)
    fc.assert(
      fc.property(
        fc.string({ unit: 'grapheme', maxLength: 40 }),
        fc.integer({ min: 2, max: 10 }),
        (text, length) => {
          const cut = tidy(text, length)
          assert.ok(cut.length <= length && cut.isWellFormed() && cut === cut.trim(), cut)
        },
      ),
    )
  })
})

describe('a page that is made to be slow', () => {
  const SIZE = 2_000_000
  const times = (text: string): string => text.repeat(Math.ceil(SIZE / text.length))
  const counted = (make: (n: number) => string): string =>
    Array.from({ length: SIZE / 10 }, (_, n) => make(n)).join('')

  /** Nodes and depth of a tree, without recursion. */
  const measure = (document: Node) => {
    let nodes = 0
    let depth = 0
    let most = 0
    for (let node: Node | null = document; node !== null; ) {
      nodes += 1
      most = Math.max(most, depth)
      if (node.first !== null) {
        node = node.first
        depth += 1
        continue
      }
      while (node !== null && node.next === null) {
        node = node.parent
        depth -= 1
      }
      node = node?.next ?? null
    }
    return { nodes, most }
  }

  it('has a tree within the limits, whatever it nests, repeats or leaves open', LONG, async () => {
    const pages: Record<string, string> = {
      'deep: div': times('<div>'),
      'deep: a b a': times('<a><b><a>'),
      'deep: templates': times('<template>'),
      'deep: lists': times('<ul><li>'),
      'deep: tables': counted(n => `<p><b id=${n}></p><table><td>`),
      'deep: 100,000': '<span>'.repeat(100_000),
      'formatting that comes again with each paragraph': `<p>${Array.from({ length: 400 }, (_, n) => `<b id=${n}>`).join('')}</p>${times('<p>x')}`,
      'the adoption agency': `<b><div>${times('<i><b>x</div></i></b>')}`,
      'before a table': `<table>${times('<i>x</i>')}`,
      'text before a table': `<table>${times('x<tr>')}`,
      'a million attributes': `<div ${counted(n => `a${n} `)}`,
      'attributes of body': counted(n => `<body a${n}>`),
      'a tag without end': `<${times('a')}`,
      'an attribute without end': `<a href="${times('a')}`,
      'a name without end': `<a ${times('a')}`,
      'a comment without end': `<!--${times('-')}`,
      'a script without end': `<script>${times('</scrip')}`,
      references: times('&amp;&x'),
      zeros: times('\0'),
      'an endless word': times('x'),
      'an endless word of another script': 'あ'.repeat(500_000),
      'words with a joint': times("a.'"),
      blanks: times(' '),
      headings: times('<h1><h2>'),
      options: times('<select><option>'),
    }
    for (const [name, text] of Object.entries(pages)) {
      const { document, tooMuch } = await buildTree(text, { signal: NEVER })
      const { nodes, most } = measure(document)
      assert.ok(nodes <= MAX_NODES, name)
      // elements moved by the adoption agency and before tables are not on the stack where they end up
      assert.ok(most <= 2 * MAX_DEPTH, `${name}: ${most}`)
      if (name.startsWith('deep')) assert.equal(tooMuch, 'depth', name)
      const { words } = await extract(document, URL_OF_PAGE, NEVER)
      assert.ok(words <= text.length, name)
    }
  })

  it('takes a few bytes of memory for each of its own, whatever it repeats', LONG, () => {
    const pages: Record<string, string> = {
      'ends of lines': "'<p>' + times('\\r')",
      'ends of lines in an attribute': "'<p a=\"' + times('\\r')",
      'ends of lines in a table': "'<table>' + times('\\r')",
      'zeros in a script': "'<script>' + times('\\0')",
      'a doctype without end': "'<!DOCTYPE ' + times('x')",
      'the name of a doctype without end': `'<!DOCTYPE html PUBLIC "' + times('x')`,
      'blanks and letters in a table': "'<table>' + times(' a')",
    }
    const module = JSON.stringify(new URL('../../../src/kinds/lib/parse/build-tree.ts', import.meta.url).href)
    for (const [name, text] of Object.entries(pages)) {
      const code = `import { buildTree } from ${module}
        const times = text => text.repeat(${8 * 1024 ** 2} / text.length)
        await buildTree(${text}, { signal: new AbortController().signal })`
      const { status, stderr } = spawnSync(
        process.execPath,
        ['--max-old-space-size=200', '--import', 'tsx', '--input-type=module', '-e', code],
        { encoding: 'utf8' },
      )
      assert.equal(status, 0, `${name}: ${stderr.slice(0, 500)}`)
    }
  })

  it('has one end of line for each of the three ways to write it, also where a piece ends', async () => {
    for (const around of [131_071 - 3, 131_072 - 3, 131_073 - 3]) {
      const { document } = await buildTree(`<p>${'x'.repeat(around - 1)}\r\ny\rz\nw`, { signal: NEVER })
      let node: Node | null = document
      while (node !== null && node.name !== 'p') node = node.last
      assert.equal(node?.first?.text.slice(-6), '\ny\nz\nw')
    }
  })

  it('is read up to the place where it has too much', async () => {
    const page = await read(`<title>x</title><p>one</p>${'<div>'.repeat(600)}two`)
    assert.deepEqual([page.tooMuch, page.title, page.words], ['depth', 'x', 1])
    const wide = await read(`<title>x</title>${'<p>y</p>'.repeat(100)}`, { depth: 50, nodes: 100 })
    assert.deepEqual([wide.tooMuch, wide.title], ['nodes', 'x'])
    assert.ok(wide.words > 30 && wide.words < 60)
  })

  it('is left at a cancel, also while it is parsed and while its words are counted', LONG, async () => {
    const controller = new AbortController()
    const reason = new Error('enough')
    const onShare = (): void => controller.abort(reason)
    await assert.rejects(buildTree(times('<p>x'), { signal: controller.signal, onShare }), reason)
    const { document } = await buildTree('あ'.repeat(500_000), { signal: NEVER })
    await assert.rejects(extract(document, URL_OF_PAGE, controller.signal), reason)
  })

  it('has the same tree in pieces as in one, also if a piece ends inside of a character', LONG, async () => {
    const filler = (n: number): string => 'x'.repeat(131_072 - n)
    for (let n = 0; n < 12; n++) {
      const text = `${filler(n)}<b>\ud83d\ude00&amp;\r\n</b><a href="\ud83d\ude00">z</a>`
      const { links, words } = await read(`<p>${text}`)
      assert.deepEqual(links, [{ url: 'https://site.test/dir/%F0%9F%98%80', text: 'z', rel: null }], `${n}`)
      assert.ok(words > 0)
    }
  })
})
