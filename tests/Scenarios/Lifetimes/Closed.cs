namespace Native.LibUsb.Tests.Lifetimes;

/// <summary>Specifies the object that a test closes.</summary>
public enum Closed
{
    Interface,
    Handle,
    Context,
}
