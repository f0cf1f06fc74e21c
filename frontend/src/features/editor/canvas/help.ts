/** The first sentence of a type's help, without marks. */
export const firstLine = (help: string): string => plain(help.split('\n\n')[0] ?? '');

/** Help after its first line, as paragraphs of plain text. */
export const restOf = (help: string): string[] => help.split('\n\n').slice(1).map(plain);

const plain = (text: string): string => text.replace(/\s+/g, ' ').replace(/\*\*|\*|`/g, '').trim();
