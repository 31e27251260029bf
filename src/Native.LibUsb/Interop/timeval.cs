namespace Native.LibUsb.Interop;

/// <summary>C's <c>struct timeval</c>.</summary>
public struct timeval;
