using System.Runtime.CompilerServices;

namespace Native.LibUsb.Tests.Lifetimes;

/// <summary>Reads how many GC handles the library has allocated and not freed. The library counts them itself, because Native AOT reports no exact number.</summary>
internal static class UserDataHandles
{
    /// <summary>Gets the number now.</summary>
    public static int Count => ReadCount(null);

    /// <summary>Frees what other tests have forgotten, so that the number does not change for them.</summary>
    public static void CollectForgotten()
    {
        GC.Collect();
        GC.WaitForPendingFinalizers();
    }

    [UnsafeAccessor(UnsafeAccessorKind.StaticMethod, Name = "get_Count")]
    private static extern int ReadCount([UnsafeAccessorType("Native.LibUsb.UserDataHandle, Native.LibUsb")] object? type);
}
