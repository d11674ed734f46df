// Reads the files of kinds again, after a question; what it has found is said, and why it could not where it could not.
import { useState } from 'preact/hooks'
import { wordsOf } from '../../frame/do-it.ts'
import { askReader } from '../../frame/question.tsx'
import { tell } from '../../frame/toasts.tsx'
import { SafeText } from '../../parts/safe-text.tsx'
import { ProblemError, post } from '../../state/api.ts'
import { useMay } from '../../state/rights.ts'
import type { Texts } from '../../texts/texts.ts'
import { useTexts } from '../../texts/use-texts.ts'

type Names = Record<'added' | 'changed' | 'removed', string[]>
type Problems = ProblemError['problems']

const outcomeText = (words: Texts['kinds'], names: Names): string => {
  const parts = (['added', 'changed', 'removed'] as const)
    .filter(what => names[what].length > 0)
    .map(what => words.reloadNames[what](names[what].join(', ')))
  return parts.length > 0 ? parts.join('; ') : words.reloadSame
}

/** The button, and below it what is wrong with the files. @param again the list is asked for anew */
export const useReload = (again: () => void) => {
  const t = useTexts()
  const words = t.kinds
  const isAllowed = useMay('processes.change')
  const [isBusy, setBusy] = useState(false)
  const [problems, setProblems] = useState<Problems>([])

  const reload = async (): Promise<void> => {
    const question = { title: words.askReload, text: words.askReloadText, confirm: words.reload }
    if (!(await askReader(question))) return
    setBusy(true)
    setProblems([])
    try {
      tell(outcomeText(words, await post<Names>('/api/kinds/reload')), 'good')
    } catch (error) {
      if (error instanceof ProblemError && error.problems.length > 0) setProblems(error.problems)
      else tell(wordsOf(t, error), 'bad')
    }
    setBusy(false)
    again()
  }

  return {
    button: isAllowed ? (
      <button type="button" class="button" disabled={isBusy} onClick={() => void reload()}>
        {isBusy ? words.reloading : words.reload}
      </button>
    ) : null,
    note:
      problems.length === 0 ? null : (
        <div class="note bad" role="alert">
          {t.problems.KINDS_NOT_LOADED}
          <ul>
            {problems.map(({ path, problem }) => (
              <li key={`${path} ${problem}`}>
                <code>
                  <SafeText text={path} />
                </code>{' '}
                <SafeText text={problem} />
              </li>
            ))}
          </ul>
        </div>
      ),
  }
}
