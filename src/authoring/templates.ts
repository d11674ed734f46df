// What `madhava kind new` writes: a kind and its test in each language, to be read, kept and changed.

export const LANGUAGES = ['typescript', 'javascript', 'python', 'shell'] as const
export type Language = (typeof LANGUAGES)[number]

export interface NewFile {
  /** Of the folder of kinds. */
  name: string
  text: string
  executable: boolean
}

/** As an identifier of Python; a word of the language gets an underscore. */
const PYTHON_WORDS =
  'and as assert async await break class continue def del elif else except finally for from global if import in is lambda nonlocal not or pass raise return try while with yield'.split(
    ' ',
  )
const identifier = (name: string): string => {
  const word = name.replaceAll('-', '_')
  // the template's own imports have these names
  const taken = [...PYTHON_WORDS, 'kind', 'main', 'bounds', 'context']
  return taken.includes(word) ? `${word}_` : word
}

const moduleText = (name: string): string => `// ${name}: counts words. Change what it does, and this line.
import { defineKind, z } from 'madhava'

export default defineKind({
  summary: 'Counts the words of a text',
  // what a task is given, checked when it is submitted
  params: z.strictObject({ text: z.string().max(100_000) }),
  // what it answers, checked when it has run
  result: z.strictObject({ words: z.int() }),
  // params that run in a moment: people get them as a first try
  example: { text: 'to be or not to be' },

  async run({ text }, ctx) {
    ctx.log(\`\${text.length} characters\`)
    const words = text.split(/\\s+/).filter(word => word !== '').length
    ctx.progress(100, 'counted')
    return { words }
  },
})
`

const moduleTest = (kind: string): string => `import assert from 'node:assert/strict'
import { test } from 'node:test'
import { runKind } from 'madhava/testing'
import kind from '${kind}'

test('counts words', async () => {
  const { result, progress } = await runKind(kind, { text: 'to be or not' })
  assert.deepEqual(result, { words: 4 })
  assert.equal(progress.at(-1)?.percent, 100)
})

test('refuses what is no text', async () => {
  await assert.rejects(runKind(kind, { text: 1 }), { code: 'PARAMS_INVALID' })
})
`

const pythonText = (name: string): string => `#!/usr/bin/env python3
"""${name}: counts words. Change what it does, and this line."""

from typing import Annotated

from madhava import Bounds, Context, kind, main


# the type hints are the schema: params are checked when a task is submitted, the result when it has run
@kind(example={"text": "to be or not to be"})
def ${identifier(name)}(ctx: Context, text: Annotated[str, Bounds(max_length=100_000)]) -> dict[str, int]:
    """Counts the words of a text"""
    print(len(text), "characters")  # a line of the task's log
    words = len(text.split())
    ctx.progress(100, "counted")
    return {"words": words}


if __name__ == "__main__":
    main()
`

const pythonTest = (name: string): string => `import unittest
from importlib import import_module

from madhava import run_kind

${identifier(name)} = import_module("${name}").${identifier(name)}


class Test(unittest.TestCase):
    def test_counts_words(self):
        run = run_kind(${identifier(name)}, {"text": "to be or not"})
        self.assertEqual(run.result, {"words": 4})

    def test_refuses_what_is_no_text(self):
        with self.assertRaises(Exception):
            run_kind(${identifier(name)}, {"text": 1})


if __name__ == "__main__":
    unittest.main()
`

const shellText = (name: string): string => `#!/bin/sh
# ${name}: counts words. Change what it does, and this line. It reads its params with jq.
set -e

if [ "$1" = --describe ]; then
  # params and result are JSON Schema: checked when a task is submitted, and when it has run
  cat <<'JSON'
{
  "summary": "Counts the words of a text",
  "params": {
    "type": "object",
    "properties": { "text": { "type": "string", "maxLength": 100000 } },
    "required": ["text"],
    "additionalProperties": false
  },
  "result": { "type": "object", "properties": { "words": { "type": "integer" } }, "required": ["words"] },
  "example": { "text": "to be or not to be" }
}
JSON
  exit
fi

# the first line of the input is the task; every line of the output that is no call is its log
text=$(jq -r .params.text)
echo "\${#text} characters"
words=$(printf '%s' "$text" | wc -w)
echo '{"progress": {"percent": 100, "note": "counted"}}'
echo "{\\"result\\": {\\"words\\": $((words))}}"
`

const shellTest = (name: string): string => `import assert from 'node:assert/strict'
import { test } from 'node:test'
import { runKind } from 'madhava/testing'

const kind = new URL('./${name}.sh', import.meta.url)

test('counts words', async () => {
  const { result, progress } = await runKind(kind, { text: 'to be or not' })
  assert.deepEqual(result, { words: 4 })
  assert.equal(progress.at(-1)?.percent, 100)
})

test('refuses what is no text', async () => {
  await assert.rejects(runKind(kind, { text: 1 }), { code: 'PARAMS_INVALID' })
})
`

const file = (name: string, text: string, executable = false): NewFile => ({ name, text, executable })

/**
 * The kind first, then its test.
 * @param isModule whether Node takes the folder's .ts and .js for ES modules; other files say it in their ending
 */
export const filesOf = (name: string, language: Language, isModule: boolean): [NewFile, NewFile] => {
  const m = isModule ? '' : 'm'
  switch (language) {
    case 'typescript':
      return [
        file(`${name}.${m}ts`, moduleText(name)),
        file(`${name}.test.${m}ts`, moduleTest(`./${name}.${m}ts`)),
      ]
    case 'javascript':
      return [
        file(`${name}.${m}js`, moduleText(name)),
        file(`${name}.test.${m}js`, moduleTest(`./${name}.${m}js`)),
      ]
    case 'python':
      return [
        file(`${name}.py`, pythonText(name), true),
        file(`test_${name.replaceAll('-', '_')}.py`, pythonTest(name)),
      ]
    case 'shell':
      return [file(`${name}.sh`, shellText(name), true), file(`${name}.test.mjs`, shellTest(name))]
  }
}
