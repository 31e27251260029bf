using System.Runtime.CompilerServices;

// Every native signature is blittable. Therefore, the runtime need not marshal arguments, and a native call copies no data and allocates no memory. This is
// true for the just-in-time compiler and for the ahead-of-time compiler.
[assembly: DisableRuntimeMarshalling]
