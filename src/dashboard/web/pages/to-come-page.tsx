// Stands in for a page that is not built yet.
import { PageHead } from '../frame/page-head.tsx'
import { Empty } from '../parts/states.tsx'
import { type MenuName, pageAt } from '../paths.ts'
import { usePathname } from '../router.tsx'
import { useTexts } from '../texts/use-texts.ts'

export const ToComePage = () => {
  const [t, path] = [useTexts(), usePathname()]
  const name = pageAt(path)?.name
  return (
    <>
      <PageHead title={name && name in t.menu ? t.menu[name as MenuName] : path} />
      <Empty text={t.frame.soon} />
    </>
  )
}
