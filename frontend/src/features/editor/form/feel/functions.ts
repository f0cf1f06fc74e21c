/** The functions of the server's FEEL, offered while typing. The server decides what they do. */
export const FUNCTIONS: readonly string[] = [
  'abs', 'all', 'any', 'append', 'ceiling', 'concatenate', 'contains', 'context', 'context merge',
  'context put', 'count', 'date', 'date and time', 'day of week', 'day of year', 'decimal',
  'distinct values', 'duration', 'ends with', 'even', 'exp', 'flatten', 'floor', 'get entries',
  'get or else', 'get value', 'index of', 'insert before', 'is defined', 'list contains', 'list replace',
  'log', 'lower case', 'matches', 'max', 'mean', 'median', 'min', 'mode', 'modulo', 'month of year', 'not',
  'now', 'number', 'odd', 'product', 'remove', 'replace', 'reverse', 'round down', 'round half down',
  'round half up', 'round up', 'sort', 'split', 'sqrt', 'starts with', 'stddev', 'string', 'string join',
  'string length', 'sublist', 'substring', 'substring after', 'substring before', 'sum', 'time', 'today',
  'trim', 'union', 'upper case', 'week of year', 'years and months duration',
];
