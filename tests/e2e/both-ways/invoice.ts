import type { Page } from 'playwright-core';

/** The approval of invoices, as both builders are told to draw it. */
export const INVOICE = {
  name: (how: string) => `Invoice approval ${how} ${process.pid}`,
  read: 'Read the invoice',
  rules: 'How large is it?',
  fork: 'Small invoice?',
  ask: 'Finance approves',
  pay: 'Pay the invoice',
  paid: 'Paid',
  refused: 'Not approved',
  failed: 'Bank failed',
  question: 'Shall this invoice be paid?',
  message: 'The bank did not take the payment.',
  reason: 'Invoices up to 500, and those of Acme, are paid at once; all others are approved.',
} as const;

export interface Builder {
  page: Page;
  url: string;
  password: string;
  /** Where payments go. */
  bank: string;
}

/** The first run: an invoice of somebody who is trusted, so it is paid at once. */
export const FIRST = { supplier: 'Acme', amount: '700' } as const;
