#ifndef STUB_SYS_TYPES_H
#define STUB_SYS_TYPES_H
typedef __INTPTR_TYPE__ ssize_t;
#endif
