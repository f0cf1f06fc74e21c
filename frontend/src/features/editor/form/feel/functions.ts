/** The functions of the server's FEEL, offered while typing. The server decides what they do. */
export const FUNCTIONS: readonly string[] = [
  'abs', 'after', 'all', 'any', 'append', 'before', 'ceiling', 'coincides', 'concatenate', 'contains',
  'context', 'context merge', 'context put', 'count', 'date', 'date and time', 'day of week',
  'day of year', 'decimal', 'distinct values', 'duration', 'during', 'ends with', 'even', 'exp',
  'finished by', 'finishes', 'flatten', 'floor', 'get entries', 'get or else', 'get value', 'includes',
  'index of', 'insert before', 'is', 'is defined', 'list contains', 'list replace', 'log', 'lower case',
  'matches', 'max', 'mean', 'median', 'meets', 'met by', 'min', 'mode', 'modulo', 'month of year', 'not',
  'now', 'number', 'odd', 'overlaps', 'overlaps after', 'overlaps before', 'product', 'range', 'remove',
  'replace', 'reverse', 'round down', 'round half down', 'round half up', 'round up', 'sort', 'split',
  'sqrt', 'started by', 'starts', 'starts with', 'stddev', 'string', 'string join', 'string length',
  'sublist', 'substring', 'substring after', 'substring before', 'sum', 'time', 'today', 'trim', 'union',
  'upper case', 'week of year', 'years and months duration',
];
