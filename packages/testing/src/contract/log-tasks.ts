export const logTasks = {};
