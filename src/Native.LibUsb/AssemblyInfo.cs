using System.Runtime.CompilerServices;

// Every native signature is blittable, so the runtime need not marshal arguments. A native call copies no data and allocates no memory. The ahead-of-time
// compiler and the just-in-time compiler emit the same code for the call.
[assembly: DisableRuntimeMarshalling]
