// The texts of the dashboard are complete in every language, and the addresses of its pages lead where they say.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { AUDIT_ACTION_NAMES, AUDIT_VIAS, DONE, UNKNOWN } from '../../../src/core/audit.ts'
import { MENU, PAGES, pageAt, sharedTokenIn } from '../../../src/dashboard/web/paths.ts'
import { chooseLanguage, LANGUAGES } from '../../../src/dashboard/web/texts/languages.ts'
import { TEXTS } from '../../../src/dashboard/web/texts/texts.ts'

type Leaf = string | ((...args: never[]) => string)
const leavesOf = (texts: object, at = ''): [string, Leaf][] =>
  Object.entries(texts).flatMap(([key, value]) =>
    typeof value === 'object' && value !== null
      ? leavesOf(value, `${at}${key}.`)
      : [[`${at}${key}`, value as Leaf] as [string, Leaf]],
  )

/** What is written the same everywhere. */
const SAME =
  /^(frame\.zones\.utc|overview\.figures\.p90|tasks\.working|log\.pid|audit\.vias\.(?:rest|rpc)|account\.facts\.way\.oidc|people\.byProvider)$/

describe('the texts', () => {
  const english = leavesOf(TEXTS.en)

  it('are the same set in every language', () => {
    assert.ok(english.length > 100)
    for (const language of LANGUAGES)
      assert.deepEqual(
        leavesOf(TEXTS[language])
          .map(([key]) => key)
          .sort(),
        english.map(([key]) => key).sort(),
        language,
      )
  })

  it('are none of them empty, nor left in English', () => {
    const russian = new Map(leavesOf(TEXTS.ru))
    for (const [key, text] of english) {
      const other = russian.get(key)
      assert.equal(typeof other, typeof text, key)
      if (typeof text !== 'string' || typeof other !== 'string') continue
      assert.ok(text.trim() !== '' && other.trim() !== '', key)
      if (!SAME.test(key)) assert.notEqual(other, text, key)
      if (!SAME.test(key)) assert.match(other, /[А-Яа-яЁё]/, key)
    }
  })

  it('have words for everything that the audit may say', () => {
    for (const language of LANGUAGES) {
      const { actions, vias, outcomes } = TEXTS[language].audit
      assert.deepEqual(Object.keys(actions), AUDIT_ACTION_NAMES)
      assert.deepEqual(Object.keys(vias), AUDIT_VIAS)
      assert.deepEqual(Object.keys(outcomes), [DONE, UNKNOWN])
      assert.equal(new Set(Object.values(actions)).size, AUDIT_ACTION_NAMES.length)
    }
  })

  it('count in Russian as Russian does', () => {
    const {
      came: { newer },
      ask,
    } = TEXTS.ru.tasks
    assert.deepEqual([1, 2, 5, 11, 21, 22, 111].map(newer), [
      '1 новая',
      '2 новые',
      '5 новых',
      '11 новых',
      '21 новая',
      '22 новые',
      '111 новых',
    ])
    assert.equal(ask.delete(1), 'Удалить 1 задачу?')
    assert.match(ask.delete(4312).replace(/\s/g, ' '), /^Удалить 4 312 задач\?$/)
  })

  it('are chosen by the reader, else by the browser', () => {
    assert.equal(chooseLanguage('ru', 'en'), 'ru')
    assert.equal(chooseLanguage(undefined, 'fr-FR, ru;q=0.8, en;q=0.5'), 'ru')
    assert.equal(chooseLanguage('xx', undefined), 'en')
  })
})

describe('an address', () => {
  it('is one of a page, with the words in it', () => {
    assert.deepEqual(pageAt('/'), { name: 'overview', needs: 'look', words: {} })
    assert.deepEqual(pageAt('/tasks/'), { name: 'tasks', needs: 'tasks.look', words: {} })
    assert.deepEqual(pageAt('/process/a%2Fb'), { name: 'process', needs: 'look', words: { name: 'a/b' } })
    assert.deepEqual(pageAt('/process/%E0%A4%A'), {
      name: 'process',
      needs: 'look',
      words: { name: '%E0%A4%A' },
    })
    for (const none of ['/task', '/task/', '/task/1/2', '/nothing', '//'])
      assert.equal(pageAt(none), null, none)
  })

  it('of a shared task is none of a page, and the other way round', () => {
    assert.equal(sharedTokenIn('/shared/mdl_1'), 'mdl_1')
    assert.equal(sharedTokenIn('/shared/mdl_1/'), 'mdl_1')
    assert.equal(pageAt('/shared/mdl_1'), null)
    for (const other of ['/shared', '/shared/', '/shared/a/b', '/task/shared', '//shared/a', '/'])
      assert.equal(sharedTokenIn(other), null, other)
  })

  it('has a key of its own, if it stands in the menu', () => {
    const keys = MENU.map(({ key }) => key)
    assert.equal(new Set(keys).size, keys.length)
    assert.equal(new Set(PAGES.map(({ path }) => path)).size, PAGES.length)
  })
})
