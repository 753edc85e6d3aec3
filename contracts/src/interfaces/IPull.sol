// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title Pull payments, the same in every contract that holds money.
interface IPull {
    event Credited(address indexed account, uint256 amount);
    event Withdrawn(address indexed account, uint256 amount);
    event Burned(uint256 amount);

    error NothingToWithdraw(address account);
    error TransferFailed(address account);

    /// @notice What the contract owes an account, ready to be withdrawn.
    function credit(address account) external view returns (uint256);
    function withdraw() external;
    /// @notice Anybody may trigger it; the money goes to `account`.
    function withdrawFor(address payable account) external;
    /// @notice The sum of all that the contract owes or holds for somebody; equal to its balance after every transaction.
    function liabilities() external view returns (uint256);
}
