using System.Runtime.CompilerServices;

namespace Native.LibUsb.Tests.Lifetimes;

/// <summary>
/// Reads the number of GC handles that the library has allocated and not freed. The library itself counts these handles, because Native AOT reports no exact
/// number.
/// </summary>
internal static class UserDataHandles
{
    /// <summary>Gets the current number.</summary>
    public static int Count => ReadCount(null);

    /// <summary>Collects the objects that earlier tests have dropped, so that these objects do not change the number later.</summary>
    public static void CollectForgotten()
    {
        GC.Collect();
        GC.WaitForPendingFinalizers();
    }

    [UnsafeAccessor(UnsafeAccessorKind.StaticMethod, Name = "get_Count")]
    private static extern int ReadCount([UnsafeAccessorType("Native.LibUsb.UserDataHandle, Native.LibUsb")] object? type);
}
