// The frame of every page: the menu, who and where one is, how the page is shown, and the place of the page itself.
import type { ComponentChildren } from 'preact'
import { useEffect, useState } from 'preact/hooks'
import iconAddress from '../icon.svg'
import { SafeText } from '../parts/safe-text.tsx'
import { MENU, OWN_TASKS, pageAt } from '../paths.ts'
import { Link, navigate, usePathname } from '../router.tsx'
import { useCell } from '../state/cell.ts'
import { liveState } from '../state/live.ts'
import { noteLogout } from '../state/login.ts'
import { me } from '../state/me.ts'
import { may, useRights } from '../state/rights.ts'
import { useTexts } from '../texts/use-texts.ts'
import { Banner } from './banner.tsx'
import { useKeys } from './keys.ts'
import { KeysHelp, showKeys } from './keys-help.tsx'
import { menuCounts } from './menu-counts.ts'
import { useMenuNumbers } from './menu-numbers.ts'
import { Preferences } from './preferences.tsx'
import { QuestionDialog } from './question.tsx'
import { Toasts } from './toasts.tsx'
import { useTroubles } from './use-troubles.ts'

/** As the server has written it into the document: its kinds are what they were at its start. */
const kindsLeftOut = (document.documentElement.dataset.without ?? '').split(' ')

/** What the reader may open, and what is there. */
const useMenu = (): typeof MENU => {
  const rights = useRights()
  return MENU.filter(
    ({ needs, kind = '' }) => rights.includes(needs) && (kind === '' || !kindsLeftOut.includes(kind)),
  )
}

const Menu = ({ onLeave }: { onLeave: () => void }) => {
  const [t, path, counts] = [useTexts(), usePathname(), useCell(menuCounts)]
  const current = pageAt(path)?.name
  // a task belongs to the list, a log to its process
  const shown = current === 'task' ? 'tasks' : current === 'process' ? 'processes' : current
  return (
    <ul class="menu">
      {useMenu().map(({ name, path: to }) => (
        <li key={name}>
          <Link href={to} {...(name === shown ? { 'aria-current': 'page' } : {})} onClickCapture={onLeave}>
            {t.menu[name]}
          </Link>
          {/* beside the link, and no part of its name */}
          {counts[name] === undefined ? null : (
            <span class={name === 'overview' ? 'menu-count trouble-count' : 'menu-count'}>
              {counts[name]}
            </span>
          )}
        </li>
      ))}
    </ul>
  )
}

const homePath = (): string => (may('look') ? '/' : OWN_TASKS)

const Foot = () => {
  const [t, who, state] = [useTexts(), useCell(me), useCell(liveState)]
  const { name, host, version } = who?.installation ?? { name: '', host: '', version: '' }
  const words = { live: t.frame.live, connecting: t.frame.connecting, away: t.frame.away }[state]
  return (
    <div class="foot">
      <p class="foot-place">
        {name === host ? null : (
          <strong>
            <SafeText text={name} />
          </strong>
        )}
        <span>
          <SafeText text={host} /> · {version}
        </span>
      </p>
      <form method="post" action="/logout" onSubmit={noteLogout}>
        <input type="hidden" name="token" value={who?.csrf ?? ''} />
        <Link href="/account">
          <SafeText text={who?.name ?? ''} />
        </Link>{' '}
        ·{' '}
        <button type="submit" class="bare underlined">
          {t.frame.logOut}
        </button>
      </form>
      <p class="foot-line">
        <span class={`live-dot ${state}`}>{words}</span>
        <button type="button" class="bare" onClick={showKeys}>
          <kbd>?</kbd> {t.frame.keys}
        </button>
      </p>
      <Preferences />
    </div>
  )
}

/** The focus goes along: on what was pressed before, Enter would press it again. */
const goByKey = (path: string): void => {
  navigate(path)
  document.getElementById('content')?.focus({ preventScroll: true })
}

const useGoToKeys = (): void => {
  const t = useTexts()
  const goTo = useMenu().map(({ name, path, key }) => [
    `g ${key}`,
    { label: t.keys.goTo(t.menu[name]), scope: 'everywhere' as const, run: () => goByKey(path) },
  ])
  useKeys({
    '?': { label: t.keys.help, scope: 'everywhere', run: showKeys },
    ...Object.fromEntries(goTo),
  })
}

export const Layout = ({ children }: { children: ComponentChildren }) => {
  const [t, path] = [useTexts(), usePathname()]
  const [isOpen, setOpen] = useState(false)
  useGoToKeys()
  useTroubles()
  useMenuNumbers()
  useEffect(() => setOpen(false), [path])
  return (
    <>
      <a class="skip" href="#content">
        {t.frame.skip}
      </a>
      <div class="frame">
        <header class="side">
          <div class="side-top">
            <Link class="brand" href={homePath()}>
              <img src={iconAddress} alt="" width={24} height={24} /> Madhava
            </Link>
            <button
              type="button"
              class="button menu-button"
              aria-expanded={isOpen}
              aria-controls="menu"
              onClick={() => setOpen(!isOpen)}
            >
              {t.frame.menu}
            </button>
          </div>
          <nav id="menu" class={isOpen ? 'side-menu open' : 'side-menu'} aria-label={t.frame.menu}>
            <Menu onLeave={() => setOpen(false)} />
            <Foot />
          </nav>
        </header>
        <main id="content" tabIndex={-1}>
          <Banner />
          {children}
        </main>
      </div>
      <Toasts />
      <QuestionDialog />
      <KeysHelp />
    </>
  )
}
