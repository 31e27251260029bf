using System.Runtime.InteropServices;

namespace Native.LibUsb.Interop;

/// <summary>Finds the file from which a library was loaded.</summary>
/// <remarks>
/// <c>System.Diagnostics.Process</c> also lists the modules of a process. However, this class adds 0.3 MB to a program that is compiled ahead of time. The
/// class also delays the start of such a program, because the program initializes the data of all its types when it starts.
/// </remarks>
internal static unsafe partial class ModuleFile
{
    /// <summary>Returns the full path of the file. If the system does not report the path, the result is null.</summary>
    /// <param name="library">The handle of the library.</param>
    /// <param name="function">The address of a function of the library.</param>
    public static string? PathOf(nint library, nint function) => OperatingSystem.IsWindows() ? PathOnWindows(library) : PathOnUnix(function);

    private static string? PathOnWindows(nint library)
    {
        const int longest = 32767; // in characters, the longest path that Windows supports
        for (int length = 260; ; length = longest)
        {
            char[] path = new char[length];
            uint written;
            fixed (char* start = path)
                written = GetModuleFileName(library, start, (uint)path.Length);
            if (written > 0 && written < path.Length)
                return new string(path, 0, (int)written);
            if (written == 0 || length == longest)
                return null;
        }
    }

    // The functions are found by name, because the library that contains dladdr depends on the system and its version.
    private static string? PathOnUnix(nint function)
    {
        nint program = NativeLibrary.GetMainProgramHandle();
        if (!NativeLibrary.TryGetExport(program, "dladdr", out nint dladdr))
            return null;
        ModuleInformation information = default;
        if (((delegate* unmanaged<nint, ModuleInformation*, int>)dladdr)(function, &information) == 0 || information.File is null)
            return null;
        return RealPath(program, information.File) ?? Marshal.PtrToStringUTF8((nint)information.File);
    }

    private static string? RealPath(nint program, byte* path)
    {
        if (!NativeLibrary.TryGetExport(program, "realpath", out nint realpath) || !NativeLibrary.TryGetExport(program, "free", out nint free))
            return null;
        nint resolved = ((delegate* unmanaged<byte*, byte*, nint>)realpath)(path, null);
        string? result = Marshal.PtrToStringUTF8(resolved);
        ((delegate* unmanaged<nint, void>)free)(resolved);
        return result;
    }

    [LibraryImport("kernel32", EntryPoint = "GetModuleFileNameW", SetLastError = true)]
    private static partial uint GetModuleFileName(nint module, char* path, uint length);

    /// <summary>Represents the <c>Dl_info</c> of <c>dladdr</c>.</summary>
    private struct ModuleInformation
    {
        public byte* File;
        public void* Base;
        public byte* Symbol;
        public void* SymbolAddress;
    }
}
