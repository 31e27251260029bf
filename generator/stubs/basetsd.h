typedef __INTPTR_TYPE__ SSIZE_T;
