// The texts in Russian about links that show one task, and of the page that such a link leads to.
import type { links as linkTexts } from './links-en.ts'

export const links: typeof linkTexts = {
  title: 'Ссылки',
  note: 'Кто имеет ссылку, видит эту задачу и больше ничего.',
  none: 'Открытых ссылок нет.',
  holds: 'На',
  lives: { hour: 'час', day: 'день', week: 'неделю', month: '30 дней' },
  make: 'Создать ссылку',
  made: 'Ссылка',
  once: 'Она показана один этот раз. Вход для неё не нужен: отправьте её тому, для кого она, и никому другому.',
  until: 'до',
  madeAt: 'создана',
  withdraw: 'Отозвать',
  withdrawOf: when => `Отозвать ссылку, созданную ${when}`,
  withdrawn: 'Ссылка отозвана.',
  about: 'По ссылке вам показана одна эта задача.',
  gone: 'Эта ссылка ничего не показывает',
  goneText: 'Её срок вышел, её отозвали, она неполна, или задачу удалили. Спросите того, кто её прислал.',
}
