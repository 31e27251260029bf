namespace Native.LibUsb.Tests.Lifetimes;

/// <summary>Specifies what a test closes.</summary>
public enum Closed
{
    Interface,
    Handle,
    Context,
}
