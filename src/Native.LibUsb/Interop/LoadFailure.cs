using System.Buffers.Binary;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Native.LibUsb.Interop;

/// <summary>Explains why the system's loader refused a file.</summary>
internal static class LoadFailure
{
    private const string NoSuchFile = "cannot open shared object file";

    /// <summary>Extracts the text of the system's loader from the message of the runtime's exception, and returns the text as one line.</summary>
    /// <param name="nameOrPath">The name or path that could not be loaded.</param>
    /// <param name="message">The runtime's message. On Unix, its first line is general advice, and the loader's text follows.</param>
    public static string Reason(string nameOrPath, string message)
    {
        string[] lines = message.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        var texts = new List<string>(lines.Length);
        for (int i = lines.Length > 1 ? 1 : 0; i < lines.Length; i++)
        {
            if (!texts.Contains(lines[i]))
                texts.Add(lines[i]);
        }

        string reason = string.Join("; ", texts);
        if (reason.StartsWith(nameOrPath + ": ", StringComparison.Ordinal))
            reason = reason[(nameOrPath.Length + 2)..];
        return reason.TrimEnd('.');
    }

    /// <summary>Returns advice for the user if a file was found but could not be loaded. If no file was found, the result is null.</summary>
    /// <param name="nameOrPath">The name or path that could not be loaded.</param>
    /// <param name="reason">The loader's text.</param>
    public static string? Advice(string nameOrPath, string reason)
    {
        string mine = RuntimeInformation.ProcessArchitecture.ToString().ToLowerInvariant();
        if (OtherArchitecture(nameOrPath) is { } other)
            return $"The libusb at {nameOrPath} is built for {other} and this process is {mine}: install or bundle the one for {mine}.";
        if (reason.Contains("wrong ELF class", StringComparison.Ordinal) || reason.Contains("incompatible architecture", StringComparison.Ordinal)
            || reason.Contains("0x800700C1", StringComparison.OrdinalIgnoreCase))
        {
            return $"The libusb at {nameOrPath} is built for another processor architecture and this process is {mine}: install or bundle the one for {mine}.";
        }

        if (MissingDependency(nameOrPath, reason) is { } missing)
            return $"The libusb at {nameOrPath} needs {missing}, which is missing: install it (libudev.so.1 is in Debian's package libudev1), or use a libusb that does not need it.";
        return File.Exists(nameOrPath) ? $"The libusb at {nameOrPath} cannot be loaded: replace or remove the file." : null;
    }

    // If libudev is missing, glibc's message is "libudev.so.1: cannot open shared object file: ...", and musl's message is "Error loading shared library
    // libudev.so.1: ... (needed by ...)".
    private static string? MissingDependency(string nameOrPath, string reason)
    {
        const string musl = "Error loading shared library ";
        int end = reason.IndexOf(": " + NoSuchFile, StringComparison.Ordinal);
        if (end > 0)
            return reason[..end];
        if (reason.StartsWith(musl, StringComparison.Ordinal) && reason.Contains("needed by", StringComparison.Ordinal))
            return reason[musl.Length..].Split(':')[0];
        return reason.Contains("0x8007007E", StringComparison.OrdinalIgnoreCase) && File.Exists(nameOrPath) ? "another library" : null;
    }

    // If a file is built for another architecture with the same word size, glibc's loader reports that the file is missing. This method therefore reads the
    // architecture from the file's header.
    private static string? OtherArchitecture(string path)
    {
        if (!OperatingSystem.IsLinux() || !File.Exists(path))
            return null;
        Span<byte> header = stackalloc byte[20];
        try
        {
            // A FileStream would add the code of all streams to an executable that is compiled ahead of time, including the code that reads the console.
            using SafeFileHandle file = File.OpenHandle(path);
            if (RandomAccess.Read(file, header, 0) < header.Length || !header.StartsWith("\u007fELF"u8))
                return null;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return null;
        }

        bool isLittleEndian = header[5] == 1;
        ushort machine = isLittleEndian ? BinaryPrimitives.ReadUInt16LittleEndian(header[18..]) : BinaryPrimitives.ReadUInt16BigEndian(header[18..]);
        string name = machine switch
        {
            3 => "x86",
            40 => "arm",
            62 => header[4] == 1 ? "x32" : "x64",
            183 => "arm64",
            243 => "riscv64",
            258 => "loongarch64",
            _ => $"ELF machine {machine}",
        };
        Architecture mine = RuntimeInformation.ProcessArchitecture;
        bool isMine = machine switch
        {
            3 => mine == Architecture.X86,
            40 => mine is Architecture.Arm or Architecture.Armv6,
            62 => mine == Architecture.X64 && header[4] == 2,
            183 => mine == Architecture.Arm64,
            243 => mine == Architecture.RiscV64,
            258 => mine == Architecture.LoongArch64,
            _ => true, // unknown machine: only the loader's text is reported
        };
        return isMine ? null : name;
    }
}
