// The texts in English about links that show one task, and of the page that such a link leads to.

export const links = {
  title: 'Links',
  note: 'Whoever has one sees this task, and nothing else.',
  none: 'No link is open.',
  holds: 'For',
  lives: { hour: 'an hour', day: 'a day', week: 'a week', month: '30 days' },
  make: 'Make a link',
  made: 'The link',
  once: 'It is shown this once. It needs no login: send it to whom it is for, and to nobody else.',
  until: 'until',
  madeAt: 'made',
  withdraw: 'Withdraw',
  withdrawOf: (when: string) => `Withdraw the link made ${when}`,
  withdrawn: 'The link is withdrawn.',
  about: 'A link shows you this one task.',
  gone: 'This link shows nothing',
  goneText:
    'It has ended, was withdrawn, or is not whole; or the task was deleted. Ask whoever sent it to you.',
}
